"""Counts for every period: each sized by itself, then neighbours drawn together where starting costs.

``total = Σ_t length · cost(n[t]) + Σ_t change(n[t−1], n[t])``, the change as `planner.sizing.changes` has it.

The first pass minimises the cost of each period; its proven bounds, and what their rises cost at least, are a
bound of the total. Around a day the last period comes before the first; else what runs first has been started
by then. The second pass goes over the workloads, each through all periods, and of a fleet that is
not large over the periods, each minimised with its neighbours held, as long as the total falls and is not
proven. The period that is placed keeps its counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.clock import Clock
from planner.sizing.apart import Memo
from planner.sizing.changes import change_cost
from planner.sizing.day import drawn_together, least_total
from planner.sizing.problem import SizingProblem
from planner.sizing.rounding import round_up
from planner.sizing.solve import LARGE, Sizing, solve_sizing
from solvers.result import relative_gap

__all__ = ["PeriodCounts", "ScheduleCounts", "solve_schedule"]

GAP = 2e-3
"""Relative gap at which the cost of a period counts as solved: a fifth of what one per cent would be."""
MOST_PASSES = 3
WIDE, LEAST_S = 5e-3, 0.5
"""Relative gap above which a period is sized once more, and the least time for that."""
PASS_SHARE = 0.3
"""Part of the time for the passes that draw neighbours together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCounts:
    """What runs in one period.

    Parameters
    ----------
    counts
        Instances by index of the candidate, none of them 0.
    cost_per_hour
        Of the GPUs in use and reserved.
    cost_bound
        No counts that serve as much cost less in an hour; None: not proven.
    unserved
        Sum over the workloads of the share of demand that is not served.
    """

    counts: Mapping[int, int]
    cost_per_hour: float
    cost_bound: float | None
    unserved: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCounts:
    """What runs in every period.

    Parameters
    ----------
    cost, bound, gap
        Price of all periods with what starts between them, its proven bound, and their relative distance.
    """

    periods: tuple[PeriodCounts, ...]
    cost: float
    bound: float | None
    gap: float | None


def solve_schedule(
    problem: SizingProblem,
    placed: Mapping[int, int],
    clock: Clock,
    before: Sequence[Mapping[int, int]] | None = None,
    *,
    each_s: float = 0.0,
) -> ScheduleCounts | None:
    """Size every period of the fleet; None where some period cannot be sized, or there was no time to.

    Parameters
    ----------
    problem
        Of the period that is placed, with what placement taught.
    placed
        Its counts.
    before
        Counts of each period in the current plan. Where there is no time to size all periods, these are the
        answer, or else those of the periods that were sized, completed until they serve what is asked for
        now; nothing is then proven.
    each_s
        What it took to size the period that is placed: of a large fleet, what each of them will take.
    """
    periods = problem.fleet.periods
    assert periods is not None
    large = len(problem.candidates) >= LARGE
    if large and before is not None and clock.left_s is not None and periods.count * each_s > clock.left_s:
        return _completed(problem, placed, before, {})
    deal = _Deal(clock, periods.count)
    found: dict[int, Sizing] = {}
    known: dict[tuple[float, ...], Sizing] = {}
    starts = [_row(problem, placed)]
    memo = Memo()
    # From much demand to little: what serves more also serves less, and is a start for it.
    for period in sorted(range(periods.count), key=lambda t: (-_volume(problem, t), t)):
        alone = problem.at(period)
        demand = tuple(workload.rate_per_s for workload in alone.fleet.workloads)
        limit_s = deal.next()
        if clock.is_over:
            return _completed(problem, placed, before, found)
        if demand not in known:
            begun = time.monotonic()
            known[demand] = _sized(alone, clock, limit_s, starts, memo)
            took_s = time.monotonic() - begun
            if (
                large
                and before is not None
                and clock.left_s is not None
                and deal.left * took_s > clock.left_s
            ):
                # better at once than half of them when the time is over
                return _completed(problem, placed, before, {})
        if not known[demand].tiers or clock.is_cancelled:
            return None
        found[period] = known[demand]
        starts.append(_row(problem, known[demand].counts))
    if large:
        _tighten(problem, found, clock, memo)
    first = [found[period] for period in range(periods.count)]
    rows = [_row(problem, sizing.counts) for sizing in first]
    rows[periods.placed] = _row(problem, placed)
    best = _cost(problem, rows)
    bounds = [_bound_of(sizing) for sizing in first]
    bound = None
    if all(value is not None for value in bounds):
        bound = least_total(
            [value for value in bounds if value is not None],
            length_s=periods.length_s,
            delay_s=periods.start_delay_s,
            ring=periods.is_a_day,
        )
    if periods.start_delay_s > 0:
        rows, best = _falling(
            problem, rows, bound, lambda rows: drawn_together(problem, rows, memo, near=not large)
        )
        if not large:
            rows, best = _falling(problem, rows, bound, lambda rows: _again(problem, rows, clock))
    made = tuple(_period(problem, row, sizing) for row, sizing in zip(rows, first, strict=True))
    return ScheduleCounts(periods=made, cost=best, bound=bound, gap=relative_gap(best, bound))


def _tighten(problem: SizingProblem, found: dict[int, Sizing], clock: Clock, memo: Memo) -> None:
    """Size periods whose gap is wide once more, the widest first, each with half of what the passes leave."""
    first = {id(sizing): period for period, sizing in reversed(found.items())}  # equal demand is sized once
    for period in sorted(first.values(), key=lambda t: (-_gap_of(found[t]), t)):
        before = found[period]
        if clock.left_s is None or clock.is_cancelled or _gap_of(before) <= WIDE:
            return
        limit_s = 0.5 * (1 - PASS_SHARE) * clock.left_s
        if limit_s < LEAST_S:
            return
        again = _sized(problem.at(period), clock, limit_s, [_row(problem, before.counts)], memo)
        if again.tiers and again.unserved_share <= before.unserved_share and _gap_of(again) < _gap_of(before):
            found.update({other: again for other, sizing in found.items() if sizing is before})


def _completed(
    problem: SizingProblem,
    placed: Mapping[int, int],
    before: Sequence[Mapping[int, int]] | None,
    found: Mapping[int, Sizing],
) -> ScheduleCounts | None:
    """Counts that serve all in every period, without further sizing; None where none are at hand.

    They are those of the current plan, or else those `found` in this one, for the other periods those of the
    last of them, which had more to serve; all are completed where something is missing. Nothing is proven.
    """
    periods = problem.fleet.periods
    if periods is None or (before is not None and len(before) != periods.count):
        return None
    last = list(found.values())[-1].counts if found else placed
    rows = []
    for number in range(periods.count):
        row = _row(problem, placed)
        if number != periods.placed:
            counts = (
                before[number] if before is not None else found[number].counts if number in found else last
            )
            alone = problem.at(number)
            tried = (round_up(alone, _row(problem, each)) for each in (counts, last))
            whole = next((made for made in tried if made is not None), None)
            if whole is None:
                return None
            row = [int(count) for count in whole]
        rows.append(row)
    made = tuple(
        PeriodCounts(
            counts={index: count for index, count in enumerate(row) if count},
            cost_per_hour=_cost_per_hour(problem, row),
            cost_bound=None,
            unserved=0.0,
        )
        for row in rows
    )
    return ScheduleCounts(periods=made, cost=_cost(problem, rows), bound=None, gap=None)


def _falling(
    problem: SizingProblem,
    rows: list[list[int]],
    bound: float | None,
    change: Callable[[list[list[int]]], list[list[int]]],
) -> tuple[list[list[int]], float]:
    """Change the rows as long as that takes something off their cost, and they are not proven."""
    best = _cost(problem, rows)
    for _ in range(MOST_PASSES):
        gap = relative_gap(best, bound)
        if gap is not None and gap <= GAP:
            break
        changed = change(rows)
        cost = _cost(problem, changed)
        if cost >= best * (1 - 1e-4):
            break
        rows, best = changed, cost
    return rows, best


class _Deal:
    """Deals what is left of the time limit evenly to the periods still to come."""

    def __init__(self, clock: Clock, count: int) -> None:
        self.clock = clock
        self.left = count

    def next(self) -> float | None:
        self.left -= 1
        left_s = self.clock.left_s
        return None if left_s is None else max(left_s * (1 - PASS_SHARE) / (self.left + 1), 0.1)


def _volume(problem: SizingProblem, period: int) -> float:
    """Demand of a period in shares of each workload's largest, summed."""
    return sum(
        workload.period_rates_per_s[period] / (max(workload.period_rates_per_s) or 1.0)
        for workload in problem.fleet.workloads
    )


def _sized(
    problem: SizingProblem,
    clock: Clock,
    limit_s: float | None,
    starts: Sequence[Sequence[int]],
    memo: Memo,
) -> Sizing:
    """Unserved demand and cost alone."""
    fleet = replace(problem.fleet, goals=("unserved_demand", "cost"))
    options = replace(clock.solve_options("periods"), time_limit_s=limit_s, gap=GAP)
    return solve_sizing(replace(problem, fleet=fleet), options, starts=starts, memo=memo)


def _again(problem: SizingProblem, rows: list[list[int]], clock: Clock) -> list[list[int]]:
    """Return the rows with each period minimised once more, what starts around it included."""
    periods = problem.fleet.periods
    assert periods is not None
    out = [list(row) for row in rows]
    last = periods.count - 1
    for period in range(periods.count):
        if period == periods.placed or clock.is_over or clock.is_cancelled:
            continue
        before = tuple(out[period - 1]) if period or periods.is_a_day else None
        after = tuple(out[(period + 1) % periods.count]) if period < last or periods.is_a_day else None
        if all(row in (None, tuple(out[period])) for row in (before, after)):
            continue
        left_s = clock.left_s
        limit_s = None if left_s is None else max(left_s / (periods.count - period), 0.1)
        options = replace(clock.solve_options("periods"), time_limit_s=limit_s, gap=GAP)
        alone = replace(problem.at(period), neighbours=(before, after))
        sizing = solve_sizing(alone, options, starts=[out[period]])
        if sizing.tiers:
            out[period] = _row(problem, sizing.counts)
    return out


def _row(problem: SizingProblem, counts: Mapping[int, int]) -> list[int]:
    return [counts.get(index, 0) for index in range(len(problem.candidates))]


def _cost(problem: SizingProblem, rows: list[list[int]]) -> float:
    """The total of the module's formula."""
    periods = problem.fleet.periods
    assert periods is not None
    total = sum(_cost_per_hour(problem, row) for row in rows) * periods.length_s / 3600.0
    for number, row in enumerate(rows):
        # what runs first has been started by then, unless the day before did
        before = rows[number - 1] if number or periods.is_a_day else row
        total += change_cost(problem.candidates, periods, before, row)
    return total


def _cost_per_hour(problem: SizingProblem, row: list[int]) -> float:
    used = {pool.name: 0 for pool in problem.fleet.pools}
    for candidate, count in zip(problem.candidates, row, strict=True):
        used[candidate.pool] += candidate.gpus * count
    return sum(pool.cost_per_hour(used[pool.name]) for pool in problem.fleet.pools)


def _bound_of(sizing: Sizing) -> float | None:
    """No counts that serve as much cost less in an hour."""
    return next((tier.bound for tier in sizing.tiers if tier.name == "cost"), None)


def _gap_of(sizing: Sizing) -> float:
    """Relative gap of the cost; infinite where no bound is known."""
    cost = next((tier for tier in sizing.tiers if tier.name == "cost"), None)
    gap = None if cost is None else relative_gap(cost.value, cost.bound)
    return np.inf if gap is None else gap


def _period(problem: SizingProblem, row: list[int], sizing: Sizing) -> PeriodCounts:
    cost = _cost_per_hour(problem, row)
    return PeriodCounts(
        counts={index: count for index, count in enumerate(row) if count},
        cost_per_hour=cost,
        cost_bound=_bound_of(sizing),
        unserved=sizing.unserved_share,
    )
