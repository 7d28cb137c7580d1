"""Whether tenants that queue many plans at once finish them at the same pace."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
from google.longrunning import operations_pb2, operations_pb2_grpc  # type: ignore[import-untyped]

from benchmarks.service_load.server import ServerProcess, memory_bytes
from planner.fleet import read_fleet_file
from planner.service.gen.fulcrum.v1 import plan_pb2, planning_service_pb2, planning_service_pb2_grpc

__all__ = ["measure_queueing", "shares"]

LARGE = Path(__file__).parents[2] / "examples" / "three_regions.yaml"
_HOLDER = "holder"
DOCUMENT = """\
fleet: small
pools: [{name: l4, gpu: l4-24gb, nodes: 1, gpus_per_node: 1, price_per_gpu_hour: 0.8}]
models: [{name: chat, architecture: llama-3.1-8b, weights: fp8, kv_cache: fp8, engine: vllm}]
workloads:
  - model: chat
    lengths: {levels: [0.0, 1.0], input_tokens: [100, 1000], output_tokens: [20, 200]}
    rate: 0.1/s
    slo: {ttft_p95: 5s, tpot_p95: 200ms}
goals: [unserved_demand, cost]
"""


def measure_queueing(folder: Path, *, plans: int, tenants: int, workers: int) -> dict[str, Any]:
    """`plans` plans of a small fleet, made by the real planner.

    The tenants add theirs one tenant after the other, so that a server that went by age alone would serve the
    first tenant first; meanwhile another tenant holds the workers, until all is queued.
    """
    names = [f"tenant-{number:02d}" for number in range(tenants)]
    tokens = folder / "tokens.yaml"
    digests = {name: hashlib.sha256(name.encode()).hexdigest() for name in (*names, _HOLDER)}
    lines = [
        f"  - {{name: {name}, tenant: {name}, role: planner, sha256: {digest}}}"
        for name, digest in digests.items()
    ]
    tokens.write_text("tokens:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    each = plans // tenants
    with (
        ServerProcess(folder, worker_count=workers, tokens=str(tokens)) as server,
        server.channel() as channel,
    ):
        stub: Any = planning_service_pb2_grpc.PlanningServiceStub(channel)  # type: ignore[no-untyped-call]
        before, _ = memory_bytes(server.process_id)
        begin_s = time.monotonic()
        with _held(stub, operations_pb2_grpc.OperationsStub(channel), workers):
            _queue(stub, names, each)
        queued_s = time.monotonic() - begin_s
        begin_s = time.monotonic()
        ended = _until_done(stub, names, each)
        seconds = time.monotonic() - begin_s
        _, most = memory_bytes(server.process_id)
    order = [tenant for _, tenant in sorted(ended)]
    return {
        "plans": each * tenants,
        "tenants": tenants,
        "workers": workers,
        "queued_after_s": round(queued_s, 2),
        "seconds": round(seconds, 1),
        "max_over_min_share_at_decile": shares(order, names),
        "server_rss_before_bytes": before,
        "server_rss_bytes": most,
    }


def shares(order: list[str], tenants: list[str]) -> list[float | None]:
    """Largest over smallest number of finished plans of a tenant, after each tenth of all.

    Parameters
    ----------
    order
        Tenant of each plan, in the order in which they finished.

    Returns
    -------
    Ten ratios; None where a tenant had none.
    """
    ratios: list[float | None] = []
    for decile in range(1, 11):
        done = Counter(order[: len(order) * decile // 10])
        least = min(done[tenant] for tenant in tenants)
        ratios.append(round(max(done.values()) / least, 3) if least else None)
    return ratios


def _who(tenant: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {tenant}"),)


@contextlib.contextmanager
def _held(planning: Any, operations: Any, workers: int) -> Iterator[None]:
    """Keep all workers busy with the plans of one more tenant."""
    document = read_fleet_file(LARGE).self_contained
    request = planning_service_pb2.CreatePlanRequest(document=document)
    who = _who(_HOLDER)
    held = [planning.CreatePlan(request, metadata=who, timeout=60).name for _ in range(workers)]
    try:
        yield
    finally:
        for name in held:
            cancel = operations_pb2.CancelOperationRequest(name=name)
            operations.CancelOperation(cancel, metadata=who, timeout=60)


def _queue(stub: Any, tenants: list[str], each: int) -> None:
    options = plan_pb2.PlanOptions(skip_verification=True)
    for tenant in tenants:
        for number in range(each):
            request = planning_service_pb2.CreatePlanRequest(
                document=DOCUMENT, options=options, request_id=f"{tenant}-{number}"
            )
            stub.CreatePlan(request, metadata=_who(tenant), timeout=60)


def _until_done(stub: Any, tenants: list[str], each: int) -> list[tuple[int, str]]:
    """(time of its end, tenant) of every plan, once all have ended."""
    pause = threading.Event()
    ended: dict[str, list[int]] = {}
    while len(ended) < len(tenants):
        for tenant in tenants:
            if tenant in ended:
                continue
            request = planning_service_pb2.ListPlansRequest(page_size=1000)
            try:
                found = stub.ListPlans(request, metadata=_who(tenant), timeout=60).plans
            except grpc.RpcError:
                continue
            if sum(plan.HasField("end_time") for plan in found) == each:
                failed = [plan for plan in found if plan.state == plan_pb2.Plan.STATE_FAILED]
                assert not failed, failed[0].error.message
                ended[tenant] = [plan.end_time.ToNanoseconds() for plan in found]
        pause.wait(2.0)
    return [(time_ns, tenant) for tenant, times in ended.items() for time_ns in times]
