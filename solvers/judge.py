"""From an assignment a solver found to a `Result`: everything is evaluated again, claims are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from models.errors import SolverFailed
from models.graph import Evaluation, Graph, evaluate
from models.graph.space import UNASSIGNED, Ints
from solvers.result import (
    CANCELLED,
    FEASIBLE,
    INFEASIBLE,
    OPTIMAL,
    UNKNOWN,
    Result,
    TierResult,
    Timings,
    TrajectoryPoint,
    relative_gap,
)
from solvers.steps import lifted_bound, tier_step

__all__ = ["BOUND_TOLERANCE", "judged"]

BOUND_TOLERANCE = 1e-6
"""How far, relative to max(1, |bound|), a value may lie below its proven bound: rounding in the backends."""


def judged(
    graph: Graph,
    assignment: Ints | None,
    *,
    solver: str,
    gap: float,
    bounds: Sequence[float | None] = (),
    resolution: Sequence[float] = (),
    infeasible: bool = False,
    cancelled: bool = False,
    evaluation: Evaluation | None = None,
    timings: Timings | None = None,
    trajectory: Sequence[TrajectoryPoint] = (),
    statistics: Mapping[str, float] | None = None,
) -> Result:
    """The honest `Result` for `assignment` (None: nothing found).

    Parameters
    ----------
    gap
        Relative gap that counts as optimal.
    bounds
        Proven lower bound of each tier given the values of the earlier ones; missing ones count as None.
        Rounded up to a multiple of the step that all values of the tier are multiples of (`tier_step`).
    resolution
        For each tier the difference that is mere rounding in the solver; 1e-9 where missing.
    infeasible, cancelled
        Proven to have no solution; stopped by the caller.
    evaluation
        What the reference says about `assignment`, where that is known already; its terms are not looked at.

    An assignment that breaks a hard constraint is dropped: the status is ``unknown``, and only `constraints`
    tell how that attempt stood.

    Raises
    ------
    SolverFailed
        When the claims contradict the evaluation: a value below its proven bound, or an assignment that holds
        every hard constraint of a graph "proven" infeasible.
    """
    common = {
        "timings": timings or Timings(),
        "trajectory": tuple(trajectory),
        "statistics": dict(statistics or {}),
    }
    if assignment is None:
        evaluation = None
    elif evaluation is None:
        evaluation = evaluate(graph, assignment)
    if evaluation is None or assignment is None or not evaluation.feasible:
        return Result(
            status=INFEASIBLE if infeasible else CANCELLED if cancelled else UNKNOWN,
            assignment=None,
            constraints=() if evaluation is None else evaluation.constraints,
            solver=solver,
            **common,  # type: ignore[arg-type]
        )
    if infeasible:
        raise SolverFailed(f"{solver} calls a problem infeasible that has a feasible assignment")
    known = [*bounds, *[None] * (len(graph.tiers) - len(bounds))]
    tiers = []
    for tier, value, bound in zip(graph.tiers, evaluation.tiers.tolist(), known, strict=True):
        if bound is not None and value < bound:
            if value < bound - BOUND_TOLERANCE * max(1.0, abs(bound)):
                raise SolverFailed(
                    f"{solver} claims that {tier.name!r} is at least {bound}, but its assignment has {value}"
                )
            bound = value  # noqa: PLW2901 - rounding of the backend, not a contradiction
        if bound is not None:
            bound = min(value, lifted_bound(bound, tier_step(tier))) + 0.0  # noqa: PLW2901 - + 0.0: no negative zero
        tiers.append(TierResult(tier.name, value + 0.0, bound, relative_gap(value, bound)))
    finest = [*resolution, *[1e-9] * (len(tiers) - len(resolution))]
    proven = all(_proven(t, gap, r) for t, r in zip(tiers, finest, strict=True))
    out = np.asarray(assignment, np.int32)
    return Result(
        status=CANCELLED if cancelled else OPTIMAL if proven else FEASIBLE,
        assignment=out,
        tiers=tuple(tiers),
        constraints=evaluation.constraints,
        moved=int((out != graph.space.initial).sum()),
        unassigned=int((out == UNASSIGNED).sum()),
        solver=solver,
        **common,  # type: ignore[arg-type]
    )


def _proven(tier: TierResult, gap: float, resolution: float) -> bool:
    """Whether value and bound are within the gap, or differ by rounding (which matters around 0)."""
    if tier.bound is None or tier.gap is None:
        return False
    return tier.gap <= gap or tier.value - tier.bound <= resolution
