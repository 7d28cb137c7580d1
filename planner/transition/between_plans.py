"""The transition from one plan of a fleet to the next, with the fleet's own sizes and speeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from models.serving.memory import CacheShape
from planner.fleet.fleet import Fleet, Pool
from planner.fleet.speeds import LOCAL_DISK
from planner.plan import Instance, Plan
from planner.plan.transition import Transition
from planner.report.numbers import rate
from planner.transition.capacity import capacity_by_workload
from planner.transition.estimates import KvTransfer, LoadTier, StepTimes
from planner.transition.schedule import plan_transition
from planner.transition.sizes import loaded_bytes, parallelism

__all__ = ["standing", "transition_between"]

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
            running,
            plan.instances,
            nodes=nodes,
            times=times,
            floors=floors,
            max_in_flight=fleet.policies.speeds.in_flight,
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
    assumed = _assumed(fleet, running, plan)
    return replace(found, assumptions=(*lowered, assumed))


def _assumed(fleet: Fleet, running: Sequence[Instance], plan: Plan) -> str:
    """What the times rest on, in words."""
    speeds = fleet.policies.speeds
    stays = {(i.name, i.shape, i.stages) for i in running}
    starts = [i for i in plan.instances if (i.name, i.shape, i.stages) not in stays]
    read = dict.fromkeys(
        f"{_tier(fleet, i).name} at {_tier(fleet, i).bandwidth_bytes_per_s / 1e9:g} GB/s" for i in starts
    )
    loads = f"weights are read from a {', '.join(read)} a node, " if read else ""
    moved = (
        "running requests end before their instance does"
        if speeds.migrate_bytes_per_s is None
        else f"running requests move at {speeds.migrate_bytes_per_s / 1e9:g} GB/s or end"
    )
    return f"{loads}an engine is ready {speeds.start_s:g} s after loading, {moved}"


def _tier(fleet: Fleet, instance: Instance) -> LoadTier:
    """The fastest tier of its pool that holds the weights of an instance."""
    sources = fleet.pool(instance.pool).weights_from or (LOCAL_DISK,)
    # the pool's tiers are sorted; what no tier holds any more (a model that is gone) is on the slowest
    source = next((source for source in sources if source.holds(instance.model)), sources[-1])
    return LoadTier(source.tier, source.bandwidth_bytes_per_s)


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
    speeds = fleet.policies.speeds
    longest = speeds.longest_answer_percentile / 100
    models = {model.name: model for model in fleet.models}
    lengths = {workload.name: workload.lengths for workload in fleet.workloads}

    def weight_bytes(instance: Instance) -> float:
        model = models.get(instance.model)
        if model is None:
            return float(fleet.pool(instance.pool).gpu.memory_bytes) * instance.gpu_count
        return loaded_bytes(model.architecture, instance)

    def cache_bytes(instance: Instance) -> float:
        model, served = models.get(instance.model), lengths.get(instance.workload)
        if model is None or served is None:
            return math.inf
        shape = CacheShape.of(model.architecture, parallelism(instance), instance.kv_cache)
        # a request that runs is on average half done
        tokens = served.mean_input_tokens + served.mean_output_tokens / 2
        # a request lives on one attention replica
        gpus = instance.gpu_count / instance.data_parallel_size
        return instance.expected.concurrency * shape.sequence_bytes(tokens) * gpus

    return StepTimes(
        weight_bytes=weight_bytes,
        tiers=lambda instance: (_tier(fleet, instance),),
        start_s=speeds.start_s,
        switch_s=speeds.switch_s,
        answer_tokens=max(d.output_quantile(longest) for d in dict.fromkeys(lengths.values())),
        migrate=None
        if speeds.migrate_bytes_per_s is None
        else KvTransfer(
            bandwidth_bytes_per_s=speeds.migrate_bytes_per_s,
            downtime_s=speeds.migrate_pause_s,
            cache_bytes=cache_bytes,
        ),
    )
