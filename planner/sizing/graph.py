"""Sizing as an expression graph: hard limits (`supply`), service (`service`), and the goals of this file.

The goal tiers follow the fleet's goals; unserved demand has one tier a priority, in shares of the workloads'
demand. With a current plan, *movement* comes last where the document does not name it: of equal plans the one
that keeps most running instances is better.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from models.graph import Graph, Node
from models.graph.ops import Absolute, PositivePart
from planner.sizing.columns import Columns
from planner.sizing.problem import SizingProblem
from planner.sizing.service import unserved_shares
from planner.sizing.supply import limit_supply

__all__ = ["UNSERVED", "sizing_graph", "tier_names"]

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
    priorities = sorted({workload.priority for workload in problem.fleet.workloads})
    return tuple(
        name
        for goal in goals
        for name in ([f"{UNSERVED}, priority {p}" for p in priorities] if goal == UNSERVED else [goal])
    )


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
    for position, name in enumerate(tier_names(problem)):
        limit = (held or {}).get(name)
        wanted = minimise is None or name == minimise
        if limit is None and not wanted:
            continue
        with columns.builder.for_spec(name):
            value = _value(columns, name)
            if limit is not None:
                columns.builder.constrain(columns.builder.affine([(value, 1.0)], -limit), name=name)
            if wanted:
                columns.builder.minimize(value, tier=position, name=name)
    return columns.builder.build()


def _value(columns: Columns, name: str) -> Node:
    if name.startswith(UNSERVED):
        priority = int(name.rsplit(" ", 1)[1])
        mine = np.array([float(w.priority == priority) for w in columns.fleet.workloads])
        return columns.builder.total(columns.builder.affine([(unserved_shares(columns), mine)]))
    goals: dict[str, Callable[[Columns], Node]] = {
        "cost": _cost, "gpus": _gpus, "growth": _growth, "movement": _movement,
    }  # fmt: skip
    return goals[name](columns)


def _cost(columns: Columns) -> Node:
    return columns.builder.total(columns.weighted(columns.each(lambda c: c.price_per_hour)))


def _gpus(columns: Columns) -> Node:
    return columns.builder.total(columns.weighted(columns.each(lambda c: c.gpus)))


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
