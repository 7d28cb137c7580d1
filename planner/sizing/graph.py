"""Sizing as an expression graph: hard limits (`supply`), service (`service`), and the goals of this file.

The goal tiers follow the fleet's goals; unserved demand has one tier a priority, in shares of the workloads'
demand. Where what fits is served, tiers before it share the shortage of a priority fairly between tenants:
the sums of the 1, 2, 3 … largest shares that a tenant is not served, minimised in this order, make the worst
served tenant as well served as can be, then the second worst, and so on (max-min fairness). With a current
plan, *movement* comes last where the document does not name it: of equal plans the one that keeps most
running instances is better.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from models.graph import Axis, Graph, Node
from models.graph.ops import Absolute, LargestSum, Onto, PositivePart
from planner.sizing.changes import change_node
from planner.sizing.columns import Columns, Floats
from planner.sizing.problem import SizingProblem
from planner.sizing.service import shortfalls, unserved_shares
from planner.sizing.supply import limit_supply
from planner.topology.regions import is_away

__all__ = ["AWAY", "FAIR", "UNSERVED", "sizing_graph", "tenants_of", "tier_names"]

ROUNDING = 1e-7
"""Share of a demand that may be missing where all of it is to be served: a tenth of what counts as served."""
FAIR = "fairness"
"""How the names of the tiers begin that share a shortage between tenants."""
FAIR_ALL = 8
"""Numbers of worst served tenants that each get a tier; beyond, the powers of two do."""

AWAY = "gpus_away"
"""Name of the tier that keeps requests in the region they come from."""
UNSERVED = "unserved_demand"
"""How the names of the tiers begin that say what is not served."""


def tier_names(problem: SizingProblem) -> tuple[str, ...]:
    """Names of the goal tiers, most important first."""
    if problem.owned_gpus is not None:
        goals: tuple[str, ...] = (UNSERVED, "growth")
    else:
        goals = problem.fleet.goals
        if any(problem.running) and "movement" not in goals:
            goals = (*goals, "movement")
    if problem.neighbours is not None:
        goals = (UNSERVED, "schedule")
    if problem.owned_gpus is None and problem.fleet.policies.spill == "when_short" and any(_away(problem)):
        goals = tuple(name for goal in goals for name in ((goal, AWAY) if goal == UNSERVED else (goal,)))
    return tuple(name for goal in goals for name in (_shares(problem) if goal == UNSERVED else [goal]))


def _shares(problem: SizingProblem) -> Iterator[str]:
    """Names of the tiers about unserved demand, priority by priority."""
    workloads = problem.fleet.workloads
    for priority in sorted({workload.priority for workload in workloads}):
        if problem.fleet.policies.shortage == "serve_what_fits":
            tenants = len(tenants_of(problem, priority))
            # All numbers of tenants up to a few, then every doubling.
            for k in range(1, tenants):
                if k <= FAIR_ALL or k & (k - 1) == 0:
                    yield f"{FAIR}, priority {priority}: {k} worst served"
        yield f"{UNSERVED}, priority {priority}"


def tenants_of(problem: SizingProblem, priority: int) -> tuple[str, ...]:
    """Tenants with workloads of a priority, in document order."""
    mine = [workload.tenant for workload in problem.fleet.workloads if workload.priority == priority]
    return tuple(dict.fromkeys(mine))


def sizing_graph(
    problem: SizingProblem, *, minimise: str | None = None, held: Mapping[str, float] | None = None
) -> Graph:
    """Return the graph of `problem`; container ``c`` is ``problem.candidates[c]``.

    Parameters
    ----------
    minimise
        The only tier to minimise; None: all of them in order.
    held
        Tiers that must not exceed a value, as hard limits.
    """
    columns = Columns(problem)
    with columns.builder.for_spec("supply"):
        limit_supply(columns)
        if minimise == "cost":
            columns.limit_counts()
    for position, name in enumerate(tier_names(problem)):
        limit = (held or {}).get(name)
        wanted = minimise is None or name == minimise
        if limit is None and not wanted:
            continue
        with columns.builder.for_spec(name):
            if name.startswith(UNSERVED) and limit == 0 and not wanted:
                _serve_all(columns, name)
                continue
            value = _value(columns, name)
            if limit is not None:
                columns.builder.constrain(columns.builder.affine([(value, 1.0)], -limit), name=name)
            if wanted:
                columns.builder.minimize(value, tier=position, name=name)
    return columns.builder.build()


def _value(columns: Columns, name: str) -> Node:
    if name.startswith(FAIR):
        return _fair(columns, *(int(number) for number in re.findall(r"\d+", name)))
    if name.startswith(UNSERVED):
        mine = _of_priority(columns, name)
        return columns.builder.total(columns.builder.affine([(unserved_shares(columns), mine)]))
    goals: dict[str, Callable[[Columns], Node]] = {
        AWAY: _gpus_away, "cost": _cost, "gpus": _gpus, "growth": _growth, "movement": _movement,
        "schedule": _schedule,
    }  # fmt: skip
    return goals[name](columns)


def _serve_all(columns: Columns, name: str) -> None:
    """Constrain the shortfall of every workload of a tier to nothing: the same as a sum of 0, but tighter."""
    mine = _of_priority(columns, name)
    for short in shortfalls(columns):
        limit = columns.builder.affine([(short, mine)], -ROUNDING * mine)
        columns.builder.constrain(limit, name=name)


def _of_priority(columns: Columns, name: str) -> Floats:
    """float64[workload]: 1 for those of the priority that the name of a tier ends with."""
    priority = int(name.rsplit(" ", 1)[1])
    return np.array([float(w.priority == priority) for w in columns.fleet.workloads])


def _fair(columns: Columns, priority: int, k: int) -> Node:
    """Sum of the k largest shares unserved of the tenants of a priority, each the mean of its workloads."""
    tenants = tenants_of(columns.problem, priority)
    workloads = columns.fleet.workloads
    size = Counter(w.tenant for w in workloads if w.priority == priority)
    index = [tenants.index(w.tenant) if w.priority == priority else -1 for w in workloads]
    weight = np.array([1.0 / size[w.tenant] if w.priority == priority else 0.0 for w in workloads])
    onto = Onto("map", np.array(index, np.int64), Axis("tenant", len(tenants), tenants))
    shares = columns.builder.total(columns.builder.affine([(unserved_shares(columns), weight)]), onto)
    return columns.builder.node(LargestSum(k), shares)


def _cost(columns: Columns) -> Node:
    """Price of an hour: reserved GPUs in any case, the others when used."""
    pools = columns.fleet.pools
    used = columns.gpus_per_pool()
    if any(pool.reserved_gpus for pool in pools):
        reserved = np.array([float(pool.reserved_gpus) for pool in pools])
        used = columns.builder.node(PositivePart(), columns.builder.affine([(used, 1.0)], -reserved))
    idle = np.array([pool.cost_per_hour(0) for pool in pools])
    price = np.array([pool.price_per_gpu_hour for pool in pools])
    return columns.builder.total(columns.builder.affine([(used, price)], idle))


def _schedule(columns: Columns) -> Node:
    """Price of a period, and of the changes into it and out of it."""
    periods = columns.fleet.periods
    assert periods is not None
    terms = [(_cost(columns), periods.length_s / 3600.0)]
    terms += change_node(columns, columns.problem.neighbours or (), periods)
    return columns.builder.affine(terms)


def _gpus(columns: Columns) -> Node:
    return columns.builder.total(columns.weighted(columns.each(lambda c: c.gpus)))


def _away(problem: SizingProblem) -> list[bool]:
    """Of each candidate, whether it serves requests of another region than its own."""
    fleet = problem.fleet
    if not fleet.topology.regions:
        return [False] * len(problem.candidates)
    return [is_away(fleet, fleet.workload(c.workload), fleet.pool(c.pool)) for c in problem.candidates]


def _gpus_away(columns: Columns) -> Node:
    """GPUs that serve requests of another region than their own."""
    away = np.array(_away(columns.problem), np.float64)
    return columns.builder.total(columns.weighted(away * columns.each(lambda c: c.gpus)))


def _growth(columns: Columns) -> Node:
    """Price of the GPUs used beyond those there are; those without a price count a little."""
    owned = columns.problem.owned_gpus or {}
    pools = columns.fleet.pools
    there_are = np.array([float(owned[pool.name]) for pool in pools])
    beyond = columns.builder.affine([(columns.gpus_per_pool(), 1.0)], -there_are)
    price = np.array([max(pool.price_per_gpu_hour, 1e-3) for pool in pools])
    missing = columns.builder.affine([(columns.builder.node(PositivePart(), beyond), price)])
    return columns.builder.total(missing)


def _movement(columns: Columns) -> Node:
    """Instances that start and instances that stop; without a current plan, instances that start."""
    running = np.array(columns.problem.running, np.float64)
    return columns.builder.total(columns.builder.node(Absolute(), columns.weighted(1.0, -running)))
