"""Clients that watch plans: arguments ADDRESS COUNT PLAN….

COUNT watchers, shared out over the plans, each on a stream of its own. Prints one line of JSON: for each
watcher the plan, the sequence numbers it saw in the order it saw them, and whether it saw the finished plan
last.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import grpc.aio

__all__ = ["main"]

_CHANNELS = 8
_DEADLINE_S = 400.0


async def _watch(address: str, count: int, plans: list[str]) -> list[dict[str, Any]]:
    from planner.service.gen.fulcrum.v1 import planning_service_pb2, planning_service_pb2_grpc

    options = (("grpc.use_local_subchannel_pool", 1),)
    channels = [grpc.aio.insecure_channel(address, options) for _ in range(_CHANNELS)]

    async def one(number: int) -> dict[str, Any]:
        stub: Any = planning_service_pb2_grpc.PlanningServiceStub(  # type: ignore[no-untyped-call]
            channels[number % _CHANNELS]
        )
        name = plans[number % len(plans)]
        seen: list[int] = []
        plan_last = False
        request = planning_service_pb2.WatchPlanRequest(name=name)
        async for response in stub.WatchPlan(request, timeout=_DEADLINE_S):
            kind = response.WhichOneof("event")
            if kind == "progress":
                seen.append(response.progress.sequence)
            plan_last = kind == "plan" and response.plan.HasField("end_time")
        return {"plan": name, "seen": seen, "plan_last": plan_last}

    try:
        return list(await asyncio.gather(*(one(number) for number in range(count))))
    finally:
        for channel in channels:
            await channel.close()


def main(arguments: list[str]) -> None:
    """Watch, and print what was seen."""
    address, count, *plans = arguments
    print(json.dumps(asyncio.run(_watch(address, int(count), plans))))


if __name__ == "__main__":
    main(sys.argv[1:])
