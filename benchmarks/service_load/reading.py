"""How long GetPlan takes at a steady rate while plans are being made."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from google.longrunning import operations_pb2, operations_pb2_grpc  # type: ignore[import-untyped]

from benchmarks.service_load.server import ServerProcess, memory_bytes
from models.errors import SolverFailed
from planner.fleet import read_fleet_file
from planner.service.gen.fulcrum.v1 import plan_pb2, planning_service_pb2, planning_service_pb2_grpc

__all__ = ["measure_reading"]

EXAMPLES = Path(__file__).parents[2] / "examples"
READ, SOLVED = EXAMPLES / "fleet.yaml", EXAMPLES / "three_regions.yaml"
_SOLVE_S = 60


def measure_reading(
    folder: Path, *, rate_per_s: float, seconds: float, plans: int, solves: int, seed: int
) -> dict[str, Any]:
    """Latency of GetPlan of `plans` plans of the example fleet, asked by one client process, while `solves`
    workers plan the fleet of 50 models.

    Returns
    -------
    Figures in ms and bytes; ``solved`` counts the solves that ended meanwhile, each followed by the next.
    """
    with ServerProcess(folder, worker_count=solves) as server, server.channel() as channel:
        planning: Any = planning_service_pb2_grpc.PlanningServiceStub(channel)  # type: ignore[no-untyped-call]
        operations: Any = operations_pb2_grpc.OperationsStub(channel)
        made = [_make(planning, operations, seed + i) for i in range(plans)]
        with _solving(planning, operations, solves) as solved:
            found = _ask(server, rate_per_s, seconds, seed, [plan.name for plan in made])
            count = len(solved)
        latencies_ms = np.array(found.pop("latencies_ms"))
        return {
            "rate_per_s": rate_per_s,
            "seconds": seconds,
            "solves_at_once": solves,
            "solves_ended": count,
            "plans": plans,
            "plan_bytes": made[0].ByteSize(),
            **found,
            **{f"p{q:g}_ms": round(float(np.percentile(latencies_ms, q)), 2) for q in (50, 90, 99, 99.9)},
            "max_ms": round(float(latencies_ms.max()), 2),
            "server_rss_bytes": memory_bytes(server.process_id)[1],
        }


def _ask(server: ServerProcess, rate_per_s: float, seconds: float, seed: int, plans: list[str]) -> Any:
    command = [
        sys.executable, "-m", "benchmarks.service_load.gets", server.address, str(rate_per_s), str(seconds),
        str(seed), *plans,
    ]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, timeout=seconds + 120)
    return json.loads(done.stdout)


def _make(planning: Any, operations: Any, seed: int) -> plan_pb2.Plan:
    """A finished plan of the example fleet."""
    request = planning_service_pb2.CreatePlanRequest(
        document=read_fleet_file(READ).self_contained,
        options=plan_pb2.PlanOptions(seed=seed, skip_verification=True),
    )
    operation = planning.CreatePlan(request, timeout=30)
    while not operation.done:
        wait = operations_pb2.WaitOperationRequest(name=operation.name)
        operation = operations.WaitOperation(wait, timeout=70)
    plan = plan_pb2.Plan()
    if not operation.response.Unpack(plan):
        raise SolverFailed(f"the example fleet was not planned: {operation.error.message}")
    return plan


@contextlib.contextmanager
def _solving(planning: Any, operations: Any, count: int) -> Iterator[list[str]]:
    """Keep `count` plans of the large fleet in the making; the list fills with those that ended."""
    ended: list[str] = []
    stop = threading.Event()
    running: set[str] = set()
    document = read_fleet_file(SOLVED).self_contained

    def make(first_seed: int) -> None:
        seed = first_seed
        while not stop.is_set():
            options = plan_pb2.PlanOptions(seed=seed)
            options.time_limit.FromSeconds(_SOLVE_S)
            request = planning_service_pb2.CreatePlanRequest(document=document, options=options)
            name = planning.CreatePlan(request, timeout=60).name
            running.add(name)
            wait = operations_pb2.WaitOperationRequest(name=name)
            wait.timeout.FromSeconds(30)
            while not operations.WaitOperation(wait, timeout=60).done:
                if stop.is_set():
                    break
            running.discard(name)
            ended.append(name)
            seed += count

    threads = [threading.Thread(target=make, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    _until_running(planning, count)
    try:
        yield ended
    finally:
        stop.set()
        while any(thread.is_alive() for thread in threads):
            for name in list(running):
                operations.CancelOperation(operations_pb2.CancelOperationRequest(name=name), timeout=30)
            for thread in threads:
                thread.join(0.2)


def _until_running(planning: Any, count: int) -> None:
    running = plan_pb2.Plan.STATE_RUNNING
    request = planning_service_pb2.ListPlansRequest(states=[running])
    pause = threading.Event()
    while len(planning.ListPlans(request, timeout=30).plans) < count:
        pause.wait(0.1)
