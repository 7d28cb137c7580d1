"""Whether every watcher sees every progress event, once and in order."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from google.longrunning import operations_pb2, operations_pb2_grpc  # type: ignore[import-untyped]

from benchmarks.service_load.server import PACED, ServerProcess, memory_bytes
from planner.service.gen.fulcrum.v1 import planning_service_pb2, planning_service_pb2_grpc

__all__ = ["judge", "measure_watching"]

_PLANS = 2
_PAUSE_S = 0.02
_CLIENTS = 2


def measure_watching(folder: Path, *, watchers: int, events: int) -> dict[str, Any]:
    """`watchers` streams over two plans of `events` events each, one every 20 ms; half begin before the first
    event, half in the middle.
    """
    with (
        ServerProcess(folder, worker_count=_PLANS, backend=PACED) as server,
        server.channel() as channel,
    ):
        planning: Any = planning_service_pb2_grpc.PlanningServiceStub(channel)  # type: ignore[no-untyped-call]
        operations: Any = operations_pb2_grpc.OperationsStub(channel)
        script = f"{{fleet: watched, steps: {events}, pause_s: {_PAUSE_S}}}"
        request = planning_service_pb2.CreatePlanRequest(document=script)
        begin_s = time.monotonic()
        names = [planning.CreatePlan(request, timeout=30).name for _ in range(_PLANS)]
        plans = [name.replace("operations/", "plans/") for name in names]
        clients = []
        for number in range(_CLIENTS):
            share = watchers // _CLIENTS + (number < watchers % _CLIENTS)
            command = [sys.executable, "-m", "benchmarks.service_load.watch", server.address, str(share)]
            clients.append(subprocess.Popen([*command, *plans], stdout=subprocess.PIPE))
            if number == 0:
                time.sleep(events * _PAUSE_S / 2)
        seen = [found for client in clients for found in json.loads(client.communicate(timeout=600)[0])]
        seconds = time.monotonic() - begin_s
        last = {
            plan: operations.GetOperation(
                operations_pb2.GetOperationRequest(name=plan.replace("plans/", "operations/")), timeout=30
            )
            for plan in plans
        }
        stored = {plan: _last_sequence(operation) for plan, operation in last.items()}
        return {
            "watchers": len(seen),
            "events_a_plan": events,
            **judge(seen, stored),
            "seconds": round(seconds, 2),
            "server_rss_bytes": memory_bytes(server.process_id)[1],
        }


def judge(seen: list[dict[str, Any]], stored: dict[str, int]) -> dict[str, int]:
    """Counts of what was delivered and of what went wrong.

    Parameters
    ----------
    seen
        What `benchmarks.service_load.watch` prints.
    stored
        Number of events of each plan, by its name.
    """
    missing = doubled = disordered = 0
    for watcher in seen:
        numbers = watcher["seen"]
        missing += len(set(range(1, stored[watcher["plan"]] + 1)) - set(numbers))
        doubled += len(numbers) - len(set(numbers))
        disordered += sum(later <= earlier for earlier, later in itertools.pairwise(numbers))
    return {
        "messages": sum(len(watcher["seen"]) for watcher in seen),
        "missing": missing,
        "doubled": doubled,
        "out_of_order": disordered,
        "without_the_plan_last": sum(not watcher["plan_last"] for watcher in seen),
    }


def _last_sequence(operation: Any) -> int:
    from planner.service.gen.fulcrum.v1 import plan_pb2

    progress = plan_pb2.PlanProgress()
    operation.metadata.Unpack(progress)
    return int(progress.sequence)
