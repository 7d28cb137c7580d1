"""Whether a model should be cut wider or narrower between two periods: what that saves, when it pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.candidates.candidate import Candidate
from planner.clock import Clock
from planner.plan.schedule import Change
from planner.sizing.problem import SizingProblem
from planner.sizing.solve import LARGE, solve_sizing

__all__ = ["with_payback"]

GAP = 2e-3
"""Relative gap of the sizing that a change is compared with."""


def with_payback(
    problem: SizingProblem,
    changes: Sequence[Change],
    before: Mapping[int, int],
    cost_per_hour: float,
    clock: Clock,
) -> tuple[Change, ...]:
    """Return the changes, each re-sharding with what it saves and when that has paid for it.

    The period is sized once more with the model cut only as in the period before, on that pool; everything
    else is free to change. Not asked of large fleets, nor any more when the time is over.

    Parameters
    ----------
    problem
        Of the period.
    before
        Counts by candidate in the period before.
    cost_per_hour
        Of the period as it is planned.
    """
    out = []
    for change in changes:
        large = len(problem.candidates) >= LARGE
        if change.kind != "reshard" or large or clock.is_over or clock.is_cancelled:
            out.append(change)
            continue
        saves = _without(problem, change, before, clock)
        saves = None if saves is None else max(saves - cost_per_hour, 0.0)
        paid = change.cost / saves * 3600.0 if saves else None
        out.append(replace(change, saves_per_hour=saves, payback_s=paid))
    return tuple(out)


def _without(problem: SizingProblem, change: Change, before: Mapping[int, int], clock: Clock) -> float | None:
    """Price of the period without new cuts of the model; None where its demand cannot be served so."""

    def allowed(index: int, c: Candidate) -> bool:
        return (c.model, c.pool) != (change.model, change.pool) or before.get(index, 0) > 0

    kept = [index for index, c in enumerate(problem.candidates) if allowed(index, c)]
    narrowed = replace(
        problem,
        fleet=replace(problem.fleet, goals=("unserved_demand", "cost")),
        candidates=tuple(problem.candidates[index] for index in kept),
        unevenness={n: problem.unevenness[i] for n, i in enumerate(kept) if i in problem.unevenness},
        barred=frozenset(n for n, i in enumerate(kept) if i in problem.barred),
        current={},
    )
    options = replace(clock.solve_options("periods"), gap=GAP)
    sizing = solve_sizing(narrowed, options, starts=[[before.get(index, 0) for index in kept]])
    if not sizing.tiers or not sizing.covers_demand:
        return None
    return next(tier.value for tier in sizing.tiers if tier.name == "cost")
