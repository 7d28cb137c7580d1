"""The tightest targets that a number of GPUs can meet for a load."""

from __future__ import annotations

import math
from dataclasses import replace

from planner.candidates.enumerate import enumerate_candidates
from planner.capacity.ways import ways_for_gpus
from planner.fleet import Fleet
from planner.report.numbers import duration

__all__ = ["closest_targets"]

SLOWEST = 32.0
"""Factor on the targets beyond which no one wants to hear that it would work."""
HALVINGS = 6
"""Of the factor's exponent: the answer is at most 5.6 % slower than it needs to be."""


def closest_targets(fleet: Fleet, demand_per_s: float, gpus: int) -> str | None:
    """Say which targets so many GPUs can meet at a load they cannot carry as asked.

    The TPOT target alone is relaxed first, then the TTFT target alone, then both by one factor: the first
    that helps is searched to within 6 %, every step of it tried with the serving models.

    Returns
    -------
    str or None
        ``tpot_p95 ≤ 41.2 ms``; None when no factor up to 32 helps.
    """
    for kinds in (("tpot",), ("ttft",), ("ttft", "tpot")):
        if not _carries(_slower(fleet, kinds, SLOWEST), demand_per_s, gpus):
            continue
        low, high = 0.0, math.log(SLOWEST)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            if _carries(_slower(fleet, kinds, math.exp(middle)), demand_per_s, gpus):
                high = middle
            else:
                low = middle
        found = _slower(fleet, kinds, math.exp(high)).workloads[0]
        targets = {"ttft": found.ttft, "tpot": found.tpot}
        return " and ".join(
            f"{kind}_p{targets[kind].percentile:g} ≤ {duration(targets[kind].limit_ms)}" for kind in kinds
        )
    return None


def _slower(fleet: Fleet, kinds: tuple[str, ...], factor: float) -> Fleet:
    workload = fleet.workloads[0]
    if "ttft" in kinds:
        workload = replace(workload, ttft=replace(workload.ttft, limit_ms=workload.ttft.limit_ms * factor))
    if "tpot" in kinds:
        workload = replace(workload, tpot=replace(workload.tpot, limit_ms=workload.tpot.limit_ms * factor))
    return replace(fleet, workloads=(workload,))


def _carries(fleet: Fleet, demand_per_s: float, gpus: int) -> bool:
    ways = ways_for_gpus(enumerate_candidates(fleet).accepted, gpus)
    return bool(ways) and ways[0].capacity_per_s >= demand_per_s
