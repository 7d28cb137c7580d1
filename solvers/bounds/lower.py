"""A lower bound of each goal tier, for a problem of any size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.errors import Unsupported
from models.graph import Graph
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.bounds.decomposed import decomposed_bound
from solvers.bounds.linear import solve_relaxed
from solvers.bounds.quotient import quotient
from solvers.clock import Clock
from solvers.milp.estimate import SECONDS_PER_ENTRY
from solvers.milp.linear import Linear
from solvers.milp.lowering import Interrupted, Lowered, lower, model_entries
from solvers.milp.model import MilpModel, Rows
from solvers.options import SolveOptions
from solvers.result import relative_gap

__all__ = ["LARGEST_RELAXATION", "interval_bounds", "lower_bounds"]

LARGEST_RELAXATION = 4_000_000
"""Entries up to which the linear relaxation is stated: about 1.6 GB."""
STATING_SHARE = 0.4
"""Share of the time left that stating it may take."""
DECOMPOSED_SHARE = 0.6
"""Share of the time left that the decomposition of one tier may take where something follows it."""


def interval_bounds(graph: Graph) -> list[float]:
    """Bounds from the nodes' own intervals: immediate, often weak."""
    out = []
    for tier in graph.tiers:
        ends = [(t.weight * t.node.bounds.lowest, t.weight * t.node.bounds.highest) for t in tier.terms]
        out.append(float(sum(min(e) for e in ends)))
    return out


def lower_bounds(
    graph: Graph,
    values: Sequence[float],
    options: SolveOptions | None = None,
    *,
    assignment: Ints | None = None,
) -> list[float]:
    """For each tier: no feasible assignment that is as good as `values` in all earlier tiers has less.

    The best of interval arithmetic, of the decomposition into single objects (`solvers.bounds.decomposed`),
    which needs an `assignment` with these values, and of the linear relaxation made smaller by its
    symmetries, where that fits into the time that is left.
    """
    options = options or SolveOptions()
    clock = Clock(options)
    bounds = interval_bounds(graph)
    relaxed = _can_relax(graph, clock)
    if assignment is not None:
        last = 1.0 if not relaxed else DECOMPOSED_SHARE
        _decompose(graph, values, options.gap, assignment, clock, bounds, last_share=last)
    if relaxed and not _proven(bounds, values, options.gap) and _can_relax(graph, clock):
        _relax(graph, values, clock, bounds)
    return bounds


def _can_relax(graph: Graph, clock: Clock) -> bool:
    """Whether there is room and time to state the linear relaxation."""
    if clock.stopped:
        return False
    size, left = model_entries(graph), clock.remaining_s
    return size <= LARGEST_RELAXATION and (left is None or size * SECONDS_PER_ENTRY <= STATING_SHARE * left)


def _proven(bounds: Sequence[float], values: Sequence[float], gap: float) -> bool:
    return all((relative_gap(v, b) or 0.0) <= gap for v, b in zip(values, bounds, strict=True))


def _decompose(
    graph: Graph,
    values: Sequence[float],
    gap: float,
    assignment: Ints,
    clock: Clock,
    bounds: list[float],
    *,
    last_share: float,
) -> None:
    """Raise `bounds` by the decomposition; tiers that are proven already take no time.

    `last_share`: of the time left, for the last tier.
    """
    allowed: npt.NDArray[np.bool_] | None = None
    for i, value in enumerate(values):
        if _proven(bounds[i : i + 1], [value], gap):
            continue
        part = clock.part(last_share if i == len(values) - 1 else DECOMPOSED_SHARE)
        made = decomposed_bound(graph, i, assignment, values, part, allowed=allowed)
        if made is None:
            continue
        bounds[i] = max(bounds[i], made.bound)
        possible = made.possible(value)
        if possible is not None:
            allowed = possible if allowed is None else allowed & possible


def _relax(graph: Graph, values: Sequence[float], clock: Clock, bounds: list[float]) -> None:
    """Raise `bounds` by the linear relaxation."""
    try:
        lowered = lower(graph, stopped=lambda: clock.stopped)
    except (Unsupported, Interrupted):
        return
    model = lowered.model
    for i, (tier, value) in enumerate(zip(_tiers(lowered), values, strict=True)):
        if clock.stopped:
            break
        cost = np.zeros(model.n_columns)
        cost[tier.column] = tier.coefficient
        small = quotient(model, cost[None, :])
        solved = solve_relaxed(
            small.model,
            small.cost(cost),
            float(tier.constant[0]),
            clock.remaining_s,
            stopped=lambda: clock.stopped,
        )
        if solved is not None:
            bounds[i] = max(bounds[i], solved.objective)
        model = _pinned(model, tier, value)


def _tiers(lowered: Lowered) -> list[Linear]:
    return [lowered.tiers.taken(np.array([i])) for i in range(lowered.tiers.n)]


def _pinned(model: MilpModel, tier: Linear, value: float) -> MilpModel:
    upper: Array = np.array([value + 1e-9 * max(1.0, abs(value))])
    return model.with_rows(Rows(tier, np.array([-np.inf]), upper, np.array([-1])))
