"""A lower bound of each goal tier, for a problem of any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.errors import Unsupported
from models.graph import Graph
from models.graph.cells import Array
from solvers.bounds.linear import solve_relaxed
from solvers.bounds.quotient import quotient
from solvers.clock import Clock
from solvers.milp.classes import find_classes
from solvers.milp.linear import Linear
from solvers.milp.lowering import Lowered, lower
from solvers.milp.model import MilpModel, Rows
from solvers.options import SolveOptions

__all__ = ["LARGEST_RELAXATION", "interval_bounds", "lower_bounds"]

LARGEST_RELAXATION = 3_000_000
"""Decision columns up to which the linear relaxation is stated."""


def interval_bounds(graph: Graph) -> list[float]:
    """Bounds from the nodes' own intervals: immediate, often weak."""
    out = []
    for tier in graph.tiers:
        ends = [(t.weight * t.node.bounds.lowest, t.weight * t.node.bounds.highest) for t in tier.terms]
        out.append(float(sum(min(e) for e in ends)))
    return out


def lower_bounds(graph: Graph, values: Sequence[float], options: SolveOptions | None = None) -> list[float]:
    """For each tier: no feasible assignment that is as good as `values` in all earlier tiers has less.

    The linear relaxation, made smaller by its symmetries; where that is too large or takes too long, interval
    arithmetic.
    """
    options = options or SolveOptions()
    clock = Clock(options)
    bounds = interval_bounds(graph)
    if find_classes(graph).n * (graph.space.n_containers + 1) > LARGEST_RELAXATION:
        return bounds
    try:
        lowered = lower(graph)
    except Unsupported:
        return bounds
    model = lowered.model
    for i, (tier, value) in enumerate(zip(_tiers(lowered), values, strict=True)):
        if clock.stopped:
            break
        cost = np.zeros(model.n_columns)
        cost[tier.column] = tier.coefficient
        small = quotient(model, cost[None, :])
        solved = solve_relaxed(small.model, small.cost(cost), float(tier.constant[0]), clock.remaining_s)
        if solved is not None:
            bounds[i] = max(bounds[i], solved.objective)
        model = _pinned(model, tier, value)
    return bounds


def _tiers(lowered: Lowered) -> list[Linear]:
    return [lowered.tiers.taken(np.array([i])) for i in range(lowered.tiers.n)]


def _pinned(model: MilpModel, tier: Linear, value: float) -> MilpModel:
    upper: Array = np.array([value + 1e-9 * max(1.0, abs(value))])
    return model.with_rows(Rows(tier, np.array([-np.inf]), upper, np.array([-1])))
