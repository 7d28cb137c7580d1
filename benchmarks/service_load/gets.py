"""A client that asks for plans at a rate: arguments ADDRESS RATE SECONDS SEED PLAN….

Requests leave at the moments of a Poisson process, whatever became of the earlier ones, and a latency counts
from the moment a request was due: a client that falls behind, or a server that makes it wait, is not
flattered. Prints one line of JSON: how many were sent, how they ended, and the latencies in ms.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from typing import Any

import grpc
import grpc.aio

__all__ = ["main"]

_DEADLINE_S = 10.0
_LEAD_S = 0.5


async def _ask(
    address: str, rate_per_s: float, seconds: float, seed: int, plans: list[str]
) -> dict[str, Any]:
    from planner.service.gen.fulcrum.v1 import planning_service_pb2, planning_service_pb2_grpc

    source = random.Random(seed)
    latencies_ms: list[float] = []
    codes: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = planning_service_pb2_grpc.PlanningServiceStub(channel)  # type: ignore[no-untyped-call]
        for plan in plans:
            await stub.GetPlan(planning_service_pb2.GetPlanRequest(name=plan), timeout=_DEADLINE_S)

        async def one(plan: str, due_s: float) -> None:
            try:
                await stub.GetPlan(planning_service_pb2.GetPlanRequest(name=plan), timeout=_DEADLINE_S)
            except grpc.aio.AioRpcError as error:
                codes[error.code().name] += 1
            else:
                codes["OK"] += 1
            latencies_ms.append(1e3 * (loop.time() - due_s))

        asked = []
        due_s = loop.time() + _LEAD_S
        end_s = due_s + seconds
        while (due_s := due_s + source.expovariate(rate_per_s)) < end_s:
            if (wait_s := due_s - loop.time()) > 0:
                await asyncio.sleep(wait_s)
            asked.append(asyncio.create_task(one(source.choice(plans), due_s)))
        await asyncio.gather(*asked)
    return {"sent": len(asked), "codes": dict(codes), "latencies_ms": latencies_ms}


def main(arguments: list[str]) -> None:
    """Ask, and print what came of it."""
    address, rate, seconds, seed, *plans = arguments
    print(json.dumps(asyncio.run(_ask(address, float(rate), float(seconds), int(seed), plans))))


if __name__ == "__main__":
    main(sys.argv[1:])
