"""What to expect of each instance at the rate it gets: of those at work, by the serving models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.serving import operate
from planner.candidates.candidate import Candidate
from planner.candidates.configure import instance_model, targets
from planner.fleet.fleet import Fleet, ServedWorkload
from planner.loads import served_rate
from planner.plan import Expectation

__all__ = ["AtRate", "expectations"]

MOST_KNOWN = 20_000
"""Rates that are remembered: some megabytes."""


@dataclass(frozen=True, slots=True)
class AtRate:
    """What an engine does at a rate; None where its role has no such phase, or nothing can be said."""

    ttft_ms: float | None
    tpot_ms: float | None
    concurrency: float


def expectations(
    fleet: Fleet,
    used: Sequence[int],
    candidates: Sequence[Candidate],
    known: MutableMapping[Hashable, AtRate] | None = None,
) -> dict[int, Expectation]:
    """Expectation of an instance of each candidate in use.

    A workload's requests go to its mixed instances and its zones of prefill and decode instances in
    proportion to what they can serve, and within each in proportion to the instances' capacities.

    Parameters
    ----------
    used
        The candidate of each instance.
    known
        What engines of the same candidates were found to do before; added to.
    """
    rates = _rates(fleet, used, candidates)
    known = {} if known is None else known
    if len(known) > MOST_KNOWN:
        known.clear()
    _find(fleet, {c: rate for c, rate in rates.items() if rate > 0}, candidates, known)
    found = {}
    for index, rate in rates.items():
        c = candidates[index]
        at = known[_key(c, rate)] if rate > 0 else AtRate(None, None, 0.0)
        # At full load the two routes to one number may differ in their last digits.
        full = rate >= c.capacity_per_s * (1 - 1e-6)
        ttft_ms = None if at.ttft_ms is None else at.ttft_ms * c.slowdown + c.distance_ms
        tpot_ms = None if at.tpot_ms is None else at.tpot_ms * c.slowdown
        found[index] = Expectation(
            rate_per_s=rate,
            capacity_per_s=c.capacity_per_s,
            ttft_ms=c.ttft_ms if full or (ttft_ms is None and rate > 0) else ttft_ms,
            tpot_ms=c.tpot_ms if full or (tpot_ms is None and rate > 0) else tpot_ms,
            concurrency=at.concurrency,
        )
    return found


def _rates(fleet: Fleet, used: Sequence[int], candidates: Sequence[Candidate]) -> dict[int, float]:
    """Requests per second that an instance of each candidate gets."""
    by_workload: dict[str, list[int]] = defaultdict(list)
    for index in used:
        by_workload[candidates[index].workload].append(index)
    rates: dict[int, float] = {}
    for workload in fleet.workloads:
        mine = by_workload[workload.name]
        total = served_rate(candidates[index] for index in mine)
        if total <= 0:
            continue
        load = min(1.0, workload.rate_per_s / total)
        for index in sorted(set(mine)):
            c, share = candidates[index], load
            if c.role != "mixed":
                # The stronger side of a zone is loaded less: its rate is that of the weaker side.
                zone = [
                    candidates[i]
                    for i in mine
                    if candidates[i].role != "mixed" and candidates[i].zone == c.zone
                ]
                side = sum(other.capacity_per_s for other in zone if other.role == c.role)
                share *= served_rate(zone) / side
            rates[index] = c.capacity_per_s * share
    return rates


def _key(candidate: Candidate, rate_per_s: float) -> Hashable:
    """What an answer depends on among the candidates of one fleet."""
    settings = (candidate.max_num_seqs, candidate.max_num_batched_tokens, candidate.handover)
    return (candidate.shape, *settings, rate_per_s)


def _find(
    fleet: Fleet,
    rates: Mapping[int, float],
    candidates: Sequence[Candidate],
    known: MutableMapping[Hashable, AtRate],
) -> None:
    """Add to `known` what is not in it: engines with the same requests and targets are computed together."""
    together: dict[Hashable, list[int]] = defaultdict(list)
    asked: dict[Hashable, ServedWorkload] = {}
    for index, rate in rates.items():
        c = candidates[index]
        if _key(c, rate) in known:
            continue
        workload = fleet.workload(c.workload)
        kind: Hashable = id(workload.lengths), workload.reuse, workload.arrivals(), targets(workload)
        together[kind].append(index)
        asked[kind] = workload
    for same, indices in together.items():
        workload = asked[same]
        found = operate(
            [instance_model(fleet, candidates[i]) for i in indices],
            workload.lengths,
            # An engine that takes s times longer for everything sees s times the rate.
            np.array([rates[i] * candidates[i].slowdown for i in indices]),
            targets(workload),
            reuse=workload.reuse,
            burstiness=workload.arrivals(),
        )
        for index, at in zip(indices, found, strict=True):
            made = AtRate(at.ttft_ms, at.tpot_ms, at.concurrency)
            known[_key(candidates[index], rates[index])] = made
