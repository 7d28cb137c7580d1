"""Would an engine that changes its parallelism between phases pay? One sentence a workload and pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from planner.clock import Clock
from planner.resharding import HostBuffer, RequestClass, compare
from planner.resharding.engine_phases import EnginePhases

if TYPE_CHECKING:
    from planner.pipeline import Planned

__all__ = ["resharding_verdicts"]

HOST = HostBuffer(bytes_per_gpu=64e9, bandwidth_bytes_per_s=25e9)
"""Host memory and PCIe of each GPU: half of what a node of eight usually has for them."""


def resharding_verdicts(planned: Planned, clock: Clock) -> Iterator[str]:
    """For each workload and pool in use, re-sharding against the best fixed layout on one node.

    Throughput only, however long requests wait: where switching does not pay without latency targets, it does
    not pay with them either. Requests have the workload's mean lengths. Ends when the time is up.
    """
    fleet = planned.fleet
    pairs = dict.fromkeys((instance.workload, instance.pool) for instance in planned.plan.instances)
    for name, pool_name in pairs:
        workload, pool = fleet.workload(name), fleet.pool(pool_name)
        model = fleet.model(workload.model)
        if clock.is_over or clock.is_cancelled:
            return
        if pool.gpus_per_node < 2 or pool.gpu_parts > 1:
            continue
        phases = EnginePhases(
            architecture=model.architecture, gpu=pool.gpu, engine=model.engine, weights=model.weights,
            kv_cache=model.kv_cache,
        )  # fmt: skip
        lengths = workload.lengths
        request = RequestClass(lengths.mean_input_tokens, max(lengths.mean_output_tokens, 2.0))
        found = compare(phases, pool.gpus_per_node, request, HOST)
        yield f"{name} on a node of {pool_name}, throughput only: {found.reason}"
