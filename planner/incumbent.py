"""What runs today as a plan of its own: no other may be worse than it under the same goals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.graph import evaluate
from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet
from planner.loads import Placed, surviving_rate
from planner.placement.problem import placement_problem, running_nodes
from planner.placement.tenant import Tenant
from planner.plan.instance import Instance, Stage
from planner.sizing.graph import AWAY, FAIR, UNSERVED, tier_names
from planner.sizing.problem import SizingProblem
from planner.sizing.solve import COVERED_SHARE
from planner.topology.flows import has_network, kv_flows
from planner.topology.regions import is_away
from specs import compile_problem

__all__ = ["Layout", "is_better", "layout_values", "standing_layout"]

TOLERANCE = 1e-6
"""Relative difference of two values of a goal that is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Instances with their places.

    Parameters
    ----------
    stages
        By the name of each tenant.
    """

    tenants: tuple[Tenant, ...]
    stages: Mapping[str, tuple[Stage, ...]]


def standing_layout(
    fleet: Fleet, candidates: Sequence[Candidate], current: Sequence[Instance]
) -> Layout | None:
    """Return the running instances that can go on as they are; None when they break a hard limit together.

    Left out are those of a shape that is no candidate any more, and those whose node is gone.
    """
    column = {candidate.shape: index for index, candidate in enumerate(candidates)}
    tenants: list[Tenant] = []
    for instance in sorted(current, key=lambda i: i.name):
        index = column.get(instance.shape)
        if index is None:
            continue
        tenant = Tenant(name=instance.name, candidate=index, running=instance)
        if -1 not in running_nodes(fleet.pool(instance.pool), candidates[index], tenant):
            tenants.append(tenant)
    stages = {t.name: t.running.stages for t in tenants if t.running is not None}
    used = Counter((stage.node, gpu) for parts in stages.values() for stage in parts for gpu in stage.gpus)
    if not tenants or max(used.values()) > 1:
        return None
    flows = kv_flows(fleet, tenants, candidates) if has_network(fleet) else None
    for pool in fleet.pools:
        mine = [t for t in tenants if candidates[t.candidate].pool == pool.name]
        if not mine:
            continue
        problem = placement_problem(
            fleet, pool, mine, candidates, loss_of=None, spread_limits={}, may_move=False, kv_flows=flows
        )
        if not evaluate(compile_problem(problem), problem.space.initial).feasible:
            return None
    return Layout(tenants=tuple(tenants), stages=stages)


def layout_values(problem: SizingProblem, layout: Layout, current: Sequence[Instance]) -> dict[str, float]:
    """Value of each goal tier of sizing at a layout, from its actual places rather than an even spread."""
    candidates = problem.candidates
    shares = {w.name: _unserved(problem, layout, w.name) for w in problem.fleet.workloads}
    values: dict[str, float] = {}
    for name in tier_names(problem):
        if name.startswith(UNSERVED):
            priority = int(name.rsplit(" ", 1)[1])
            values[name] = sum(
                shares[workload.name] for workload in problem.fleet.workloads if workload.priority == priority
            )
        elif name.startswith(FAIR):
            priority, k = (int(number) for number in re.findall(r"\d+", name))
            values[name] = sum(sorted(_tenants(problem, shares, priority), reverse=True)[:k])
        elif name == AWAY:
            fleet = problem.fleet
            values[name] = float(
                sum(
                    c.gpus
                    for c in (candidates[tenant.candidate] for tenant in layout.tenants)
                    if is_away(fleet, fleet.workload(c.workload), fleet.pool(c.pool))
                )
            )
        elif name == "movement":
            values[name] = float(_changes(layout, current))
        else:
            used = Counter[str]()
            for tenant in layout.tenants:
                used[candidates[tenant.candidate].pool] += candidates[tenant.candidate].gpus
            cost = sum(pool.cost_per_hour(used[pool.name]) for pool in problem.fleet.pools)
            values[name] = cost if name == "cost" else float(used.total())
    return values


def is_better(values: Mapping[str, float], than: Mapping[str, float]) -> bool:
    """Whether `values` are better than others at the first tier where they differ."""
    for name, value in values.items():
        other = than[name]
        if abs(value - other) > TOLERANCE * max(1.0, abs(value), abs(other)):
            return value < other
    return False


def _tenants(problem: SizingProblem, shares: Mapping[str, float], priority: int) -> list[float]:
    """Mean share unserved of each tenant's workloads of a priority."""
    mine: dict[str, list[float]] = {}
    for workload in problem.fleet.workloads:
        if workload.priority == priority:
            mine.setdefault(workload.tenant, []).append(shares[workload.name])
    return [sum(values) / len(values) for values in mine.values()]


def _unserved(problem: SizingProblem, layout: Layout, workload: str) -> float:
    """Share of the demand of a workload that is not served after the worst loss."""
    demand = problem.demand_per_s(workload)
    if demand <= 0:
        return 0.0
    fleet = problem.fleet
    left = surviving_rate(list(_placed(problem, layout, workload)), fleet.policies.loss_of)
    share = max(0.0, 1.0 - left / demand)
    return share if share > COVERED_SHARE else 0.0


def _placed(problem: SizingProblem, layout: Layout, workload: str) -> Iterable[Placed]:
    for tenant in layout.tenants:
        c = problem.candidates[tenant.candidate]
        if c.workload == workload:
            yield Placed(
                role=c.role,
                zone=c.zone,
                capacity_per_s=c.capacity_per_s,
                stages=layout.stages[tenant.name],
            )


def _changes(layout: Layout, current: Sequence[Instance]) -> int:
    """Instances that start, stop or move."""
    on = {tenant.name for tenant in layout.tenants if tenant.running is not None}
    stops = sum(instance.name not in on for instance in current)
    starts = sum(tenant.running is None for tenant in layout.tenants)
    moves = sum(
        tenant.running is not None and tenant.running.stages != layout.stages[tenant.name]
        for tenant in layout.tenants
    )
    return starts + stops + moves
