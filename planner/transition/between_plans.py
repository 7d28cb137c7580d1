"""The transition from one plan of a fleet to the next, with the fleet's own sizes and assumed speeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from models.serving import Parallelism
from models.serving.memory import CacheShape, weight_bytes_per_gpu
from planner.fleet.fleet import Fleet, Pool
from planner.plan import Instance, Plan
from planner.plan.transition import Transition
from planner.report.numbers import rate
from planner.transition.capacity import capacity_by_workload
from planner.transition.estimates import KvTransfer, LoadTier, StepTimes
from planner.transition.schedule import plan_transition

__all__ = ["standing", "transition_between"]

DISK = LoadTier("local disk", 5e9)
"""NVMe drives of a node read in parallel: ServerlessLLM measures 5 to 12 GB/s (OSDI 2024)."""
KV_BYTES_PER_S = 10e9
"""Between two instances that hand running requests over: a 100 Gbit/s network."""
START_S = 60.0
"""From loaded weights to ready: processes, compilation, graph capture, warm-up."""
MAX_IN_FLIGHT = 8
"""Instances that start or stop at once."""
FLOOR_SHARES = (1.0, 0.9, 0.75, 0.5, 0.25, 0.0)
"""Shares of the wanted floor that are tried for a workload that is in the way."""


def standing(fleet: Fleet, current: Sequence[Instance]) -> tuple[Instance, ...]:
    """The instances of a plan all of whose GPUs are in the fleet: others went down with their node."""
    pools = {pool.name: set(_nodes_in_service(pool)) for pool in fleet.pools}
    return tuple(
        instance
        for instance in current
        if instance.pool in pools
        and all(
            stage.node in pools[instance.pool] and max(stage.gpus) < fleet.pool(instance.pool).gpus_per_node
            for stage in instance.stages
        )
    )


def transition_between(fleet: Fleet, current: Plan, plan: Plan) -> Transition:
    """Ordered steps from what runs of `current` to `plan`.

    No workload of both drops below its demand (headroom included), or below what the poorer of the two plans
    serves where that is less. Where no order keeps that, the floor of the workload in the way is lowered
    until one does, and the result says so.
    """
    running = standing(fleet, current.instances)
    nodes = {pool.name: dict.fromkeys(_nodes_in_service(pool), pool.gpus_per_node) for pool in fleet.pools}
    times = _times(fleet)
    wanted = _floors(fleet, running, plan.instances)
    shares = dict.fromkeys(wanted, 0)
    while True:
        floors = {w: floor * FLOOR_SHARES[shares[w]] for w, floor in wanted.items()}
        found = plan_transition(
            running, plan.instances, nodes=nodes, times=times, floors=floors, max_in_flight=MAX_IN_FLIGHT
        )
        if found.blocked is None or shares[found.blocked.workload] + 1 == len(FLOOR_SHARES):
            break
        shares[found.blocked.workload] += 1
    lowered = [
        f"no order keeps {workload} at {rate(wanted[workload])}: its floor is "
        f"{rate(floors[workload])} meanwhile, for want of spare GPUs"
        for workload, share in shares.items()
        if share
    ]
    if not found.steps and not lowered:
        return found
    assumed = (
        f"weights are read from a {DISK.name} at {DISK.bandwidth_bytes_per_s / 1e9:g} GB/s a node, an engine "
        f"is ready {START_S:g} s later, running requests move at {KV_BYTES_PER_S / 1e9:g} GB/s or end"
    )
    return replace(found, assumptions=(*lowered, assumed))


def _nodes_in_service(pool: Pool) -> list[str]:
    return [pool.node_name(n) for n in range(pool.nodes) if n not in pool.unavailable]


def _floors(fleet: Fleet, running: Sequence[Instance], new: Sequence[Instance]) -> dict[str, float]:
    """What goes on running is valued as the new plan values it, on both sides."""
    by_name = {instance.name: instance for instance in new}

    def valued(instance: Instance) -> Instance:
        same = by_name.get(instance.name, instance)
        return same if (same.shape, same.stages) == (instance.shape, instance.stages) else instance

    before, after = capacity_by_workload(map(valued, running)), capacity_by_workload(new)
    headroom = 1 + fleet.policies.headroom
    return {
        w.name: min(before[w.name], after[w.name], w.rate_per_s * headroom)
        for w in fleet.workloads
        if w.name in before and w.name in after
    }


def _times(fleet: Fleet) -> StepTimes:
    """Sizes from the architectures; an instance of a model that is gone fills its GPUs and is drained."""
    models = {model.name: model for model in fleet.models}
    lengths = {workload.name: workload.lengths for workload in fleet.workloads}

    def weight_bytes(instance: Instance) -> float:
        model = models.get(instance.model)
        if model is None:
            return float(fleet.pool(instance.pool).gpu.memory_bytes) * instance.gpu_count
        shape = _parallelism(instance)
        return weight_bytes_per_gpu(model.architecture, shape, instance.weights) * instance.gpu_count

    def cache_bytes(instance: Instance) -> float:
        model, served = models.get(instance.model), lengths.get(instance.workload)
        if model is None or served is None:
            return math.inf
        shape = CacheShape.of(model.architecture, _parallelism(instance), instance.kv_cache)
        # a request that runs is on average half done
        tokens = served.mean_input_tokens + served.mean_output_tokens / 2
        # a request lives on one attention replica
        gpus = instance.gpu_count / instance.data_parallel_size
        return instance.expected.concurrency * shape.sequence_bytes(tokens) * gpus

    return StepTimes(
        weight_bytes=weight_bytes,
        tiers=lambda _: (DISK,),
        start_s=START_S,
        answer_tokens=max(d.output_quantile(0.99) for d in lengths.values()),
        migrate=KvTransfer(bandwidth_bytes_per_s=KV_BYTES_PER_S, cache_bytes=cache_bytes),
    )


def _parallelism(instance: Instance) -> Parallelism:
    return Parallelism(
        tensor_parallel_size=instance.tensor_parallel_size,
        pipeline_parallel_size=instance.pipeline_parallel_size,
        data_parallel_size=instance.data_parallel_size,
        expert_parallel_size=instance.expert_parallel_size,
    )
