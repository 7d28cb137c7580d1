"""Whether a plan keeps its own promises: checked on every plan, by other means than it was made with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from models.errors import SolverFailed
from planner.fleet.fleet import Fleet
from planner.plan.instance import Instance
from planner.plan.model import Plan

__all__ = ["check_plan", "violations"]

TOLERANCE = 1e-6
"""Relative; demand is stated with fewer digits than this resolves."""


def check_plan(fleet: Fleet, plan: Plan) -> None:
    """Raise `SolverFailed` when `plan` breaks a limit of `fleet` or contradicts itself."""
    found = list(violations(fleet, plan))
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise SolverFailed(f"the plan breaks a limit it was made under: {found[0]}{more}; please report this")


def violations(fleet: Fleet, plan: Plan) -> Iterator[str]:
    """Everything wrong with a plan, as sentences."""
    names = [instance.name for instance in plan.instances]
    if len(set(names)) != len(names):
        yield "two instances have one name"
    taken: dict[tuple[str, int], str] = {}
    for instance in plan.instances:
        yield from _instance(fleet, instance)
        for stage in instance.stages:
            for gpu in stage.gpus:
                other = taken.setdefault((stage.node, gpu), instance.name)
                if other != instance.name:
                    yield f"GPU {gpu} of {stage.node} is given to {other} and {instance.name}"
    if sum(map(len, (stage.gpus for i in plan.instances for stage in i.stages))) != len(taken):
        yield "an instance is given one GPU twice"
    used: dict[str, int] = defaultdict(int)
    for instance in plan.instances:
        used[instance.pool] += instance.gpu_count
    for pool in plan.pools:
        if pool.gpus_used != used[pool.name] or used[pool.name] > fleet.pool(pool.name).usable_gpus:
            yield f"pool {pool.name}: {used[pool.name]} GPUs given out, {pool.gpus_used} reported"
    if plan.state in ("optimal", "feasible") and fleet.policies.shortage == "refuse":
        for outcome in plan.workloads:
            left = outcome.surviving_capacity_per_s
            if left < outcome.demand_per_s * (1 - TOLERANCE):
                yield f"{outcome.name}: {left} of {outcome.demand_per_s}/s are left"


def _instance(fleet: Fleet, instance: Instance) -> Iterator[str]:
    """What is wrong with one instance by itself."""
    pool = fleet.pool(instance.pool)
    if len(instance.stages) != instance.pipeline_parallel_size:
        yield f"{instance.name}: {len(instance.stages)} stages for PP {instance.pipeline_parallel_size}"
    if instance.data_parallel_size > 1 and len({stage.node for stage in instance.stages}) > 1:
        yield f"{instance.name}: its attention replicas are on several nodes"
    if instance.stage_gpus % instance.expert_parallel_size:
        experts = instance.expert_parallel_size
        yield f"{instance.name}: experts in {experts} groups on {instance.stage_gpus} GPUs"
    for stage in instance.stages:
        node = pool.node_index(stage.node)
        if node < 0:
            yield f"{instance.name}: no node {stage.node!r} in pool {pool.name}"
        elif node in pool.unavailable:
            yield f"{instance.name}: node {stage.node!r} is out of service"
        if len(set(stage.gpus)) != instance.stage_gpus:
            size = instance.stage_gpus
            yield f"{instance.name}: {len(set(stage.gpus))} GPUs in a group of {size}"
        if any(not 0 <= gpu < pool.gpus_per_node for gpu in stage.gpus):
            yield f"{instance.name}: a GPU index outside 0..{pool.gpus_per_node - 1}"
    workload = fleet.workload(instance.workload)
    expected = instance.expected
    if expected.rate_per_s > expected.capacity_per_s * (1 + TOLERANCE):
        yield f"{instance.name}: {expected.rate_per_s}/s sent to a capacity of {expected.capacity_per_s}/s"
    for value, target, what in (
        (expected.ttft_ms, workload.ttft, "TTFT"),
        (expected.tpot_ms, workload.tpot, "TPOT"),
    ):
        if value is not None and value > target.limit_ms * (1 + TOLERANCE):
            yield f"{instance.name}: {what} of {value} ms misses its target of {target.limit_ms} ms"
