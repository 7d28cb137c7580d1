"""What a miss teaches: how much an instance really carries, by the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.candidates.candidate import Candidate
from planner.plan import Plan
from planner.plan.verification import RECORDED, Replayed
from planner.report.numbers import rate
from planner.verify.replay import LEAST_REQUESTS, Replayer, groups_of, peak_factor

__all__ = ["Corrected", "carried_at", "corrected", "correction", "most_carried"]

HALVINGS = 7
"""Of the interval between half the planned rate and all of it: what is found is within 0.4 % of the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """Candidates with the capacities that simulation allows; those that hold at no rate are left out.

    Parameters
    ----------
    sentences
        What was corrected.
    """

    candidates: tuple[Candidate, ...]
    sentences: tuple[str, ...]


def corrected(
    replayer: Replayer,
    plan: Plan,
    candidates: Sequence[Candidate],
    replays: Sequence[Replayed],
    others: Sequence[Candidate] = (),
    is_over: Callable[[], bool] = lambda: False,
) -> Corrected | None:
    """Look at every group of instances of the workloads that miss; None when no group misses by itself.

    Bursts that break one shape break most of them. Where recorded requests are missed, `others` of the
    workload are looked at too, at what they are said to carry, until `is_over`: one sizing with what all of
    them really carry instead of one for each.
    """
    missed = {replayed.workload for replayed in replays if not replayed.met}
    groups = groups_of(plan.instances, candidates)
    count = replayer.requests_each(sum(map(len, groups.values())))
    outcome_of = {outcome.name: outcome for outcome in plan.workloads}
    allowed: dict[tuple[str, ...], Candidate | None] = {}
    sentences = []
    for workload in sorted(missed):
        factor = peak_factor(replayer.fleet, outcome_of[workload])
        for group in groups[workload]:
            planned = group.rate_per_s * factor
            if carried_at(replayer, group.candidate, planned, count) is not None:
                continue
            found = most_carried(replayer, group.candidate, planned, count)
            allowed[group.candidate.shape] = found
            sentences.append(correction(group.candidate, found))
    if not allowed:
        return None
    bursts = {replayed.workload for replayed in replays if not replayed.met and replayed.load in RECORDED}
    for other in others:
        if other.workload not in bursts or other.shape in allowed or is_over():
            continue
        if carried_at(replayer, other, other.capacity_per_s, LEAST_REQUESTS) is None:
            allowed[other.shape] = most_carried(replayer, other, other.capacity_per_s, LEAST_REQUESTS)
            sentences.append(correction(other, allowed[other.shape]))
    changed = (allowed.get(candidate.shape, candidate) for candidate in candidates)
    return Corrected(
        candidates=tuple(candidate for candidate in changed if candidate is not None),
        sentences=tuple(sentences),
    )


def correction(candidate: Candidate, found: Candidate | None) -> str:
    """What simulation says of a candidate, as a sentence."""
    if found is None:
        return f"{candidate.label}: misses its targets in simulation at any rate"
    carried, said = rate(found.capacity_per_s), rate(candidate.capacity_per_s)
    return f"{candidate.label}: {carried} by simulation, not {said}"


def most_carried(replayer: Replayer, candidate: Candidate, planned: float, count: int) -> Candidate | None:
    """The candidate at the largest rate found, below the planned one, at which it meets its targets."""
    low, high = planned / 2, planned
    best = carried_at(replayer, candidate, low, count)
    if best is None:
        low, high = 0.0, low
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found = carried_at(replayer, candidate, middle, count)
        low, high = (middle, high) if found is not None else (low, middle)
        best = found or best
    return best


def carried_at(replayer: Replayer, candidate: Candidate, rate_per_s: float, count: int) -> Candidate | None:
    """The candidate as it is at a rate, latencies simulated; None where it misses a target.

    With requests of either kind where some are recorded; the later latencies are shown.
    """
    workload = replayer.fleet.workload(candidate.workload)
    shown: dict[str, float | None] = {"ttft_ms": None, "tpot_ms": None}
    for recorded in (False, True) if replayer.is_recorded(candidate.workload) else (False,):
        seen = replayer.latencies(candidate, rate_per_s, count, recorded=recorded)
        if seen is None:
            return None
        for name, values, target in (
            ("ttft_ms", seen.ttft_ms, workload.ttft),
            ("tpot_ms", seen.tpot_ms, workload.tpot),
        ):
            if values is None or np.isnan(values).all():
                continue
            value = float(np.nanpercentile(values, target.percentile, method="inverted_cdf"))
            if value > target.limit_ms:
                return None
            shown[name] = max(value, shown[name] or 0.0)
    return replace(
        candidate,
        capacity_per_s=rate_per_s,
        ttft_ms=shown["ttft_ms"],
        tpot_ms=shown["tpot_ms"],
        reason=f"{rate(rate_per_s)} is what simulation allows; {candidate.reason}",
    )
