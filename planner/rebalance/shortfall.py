"""How much less than it says a plan carries, as measured.

A plan's capacity comes from a model of the engine and from the document's lengths; both may be wrong. Where a
workload misses a target for a while at a load its plan should carry, the plan is worth at most that load. The
job then plans for as much more than it expects as the plan fell short, and remembers it for a season, or it
would shrink back once the latency is good again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from planner.plan.outcome import WorkloadOutcome
from planner.rebalance.rules import Rules
from planner.rebalance.series import Measured, Series

__all__ = ["Shortfall", "Term", "has_misses", "shortfall"]

Bools = npt.NDArray[np.bool_]
LESS = 1.05
"""A plan carries less than the load at which it missed; but for this, the next would be as large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A time in which one plan was in force.

    Parameters
    ----------
    begin_s, end_s
        Seconds since the epoch; cold starts after the promotion left out.
    outcome
        What the plan promised the workload.
    instances
        Instances it had there.
    """

    begin_s: float
    end_s: float
    outcome: WorkloadOutcome
    instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """What is to be made of missed targets of a workload.

    Parameters
    ----------
    factor
        How many times the expected demand is planned for; 1 where the plan kept its word.
    reason
        What was missed, a sentence; empty where nothing was.
    hopeless
        Targets are missed now, and so far below the capacity that more instances are not the cure.
    """

    factor: float = 1.0
    reason: str = ""
    hopeless: bool = False


def has_misses(measured: Measured, ttft_target_ms: float, tpot_target_ms: float, rules: Rules) -> bool:
    """Whether any latency in the remembered time is beyond its target."""
    return bool(_missed(measured, ttft_target_ms, tpot_target_ms, rules).any())


def shortfall(measured: Measured, terms: Sequence[Term], rules: Rules) -> Shortfall:
    """Judge what was measured of a workload under the plans of the last season.

    A miss counts when `Rules.fewest_samples` in a row miss one of the targets, at rates within the capacity
    of the plan in force and with as many instances as it has. The plan is then worth less than the median
    rate of those samples.

    Parameters
    ----------
    terms
        In any order; the one that ends last is the promoted plan's.
    """
    worst, last = Shortfall(), len(measured.rate_per_s) - 1
    for term in sorted(terms, key=lambda term: term.end_s):
        times, rate = measured.rate_per_s.times_s, measured.rate_per_s.values
        counted = (times >= term.begin_s) & (times <= term.end_s) & (rate <= term.outcome.capacity_per_s)
        counted &= rate > 0
        if measured.instances is not None:
            there = _at(measured.instances, times)
            counted &= np.isnan(there) | (there >= term.instances)
        o = term.outcome
        counted &= _missed(measured, o.ttft_target_ms, o.tpot_target_ms, rules)
        for first, end in _runs(counted, rules.fewest_samples):
            found = _judge(measured, term, slice(first, end), rules)
            if found.hopeless:
                if end - 1 == last:
                    worst = replace(worst, reason=found.reason, hopeless=True)
            elif found.factor > worst.factor:
                worst = found
    return worst


def _judge(measured: Measured, term: Term, run: slice, rules: Rules) -> Shortfall:
    """What samples in a row that missed a target say."""
    o = term.outcome
    rate = float(np.median(measured.rate_per_s.values[run]))
    times = measured.rate_per_s.times_s[run]
    missed = []
    for kind, series, target in (
        ("TTFT", measured.ttft_ms, o.ttft_target_ms),
        ("TPOT", measured.tpot_ms, o.tpot_target_ms),
    ):
        if series is None:
            continue
        values = _at(series, times)
        if (values > target * (1 + rules.tolerance)).any():
            missed.append(f"{kind} was {float(np.nanmedian(values)):.0f} ms, the target {target:.0f} ms")
    factor = LESS * o.capacity_per_s / rate
    reason = f"{o.name}: {' and '.join(missed)}, at {rate:.3g}/s for {len(times)} samples, "
    if factor > rules.most_shortfall:
        reason += f"though the plan should carry {o.capacity_per_s:.3g}/s: more instances would not help"
        return Shortfall(reason=reason, hopeless=True)
    reason += (
        f"though the plan should carry {o.capacity_per_s:.3g}/s: "
        f"planned for {factor:.2f} times what is expected"
    )
    return Shortfall(factor=factor, reason=reason)


def _missed(measured: Measured, ttft_target_ms: float, tpot_target_ms: float, rules: Rules) -> Bools:
    """bool[sample of the rate]: a latency is beyond its target."""
    times = measured.rate_per_s.times_s
    found = np.zeros(len(times), np.bool_)
    for series, target in ((measured.ttft_ms, ttft_target_ms), (measured.tpot_ms, tpot_target_ms)):
        if series is not None:
            found |= _at(series, times) > target * (1 + rules.tolerance)  # NaN is no miss
    found[times < times[-1] - rules.season_s] = False
    return found


def _at(series: Series, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The samples of exactly those times; NaN where there is none."""
    values = np.full(len(times_s), np.nan)
    if len(series):
        index = np.minimum(np.searchsorted(series.times_s, times_s), len(series) - 1)
        same = series.times_s[index] == times_s
        values[same] = series.values[index[same]]
    return values


def _runs(which: Bools, fewest: int) -> list[tuple[int, int]]:
    """(first, end) of every stretch of at least `fewest` marked samples."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], which, [False])).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= fewest]
