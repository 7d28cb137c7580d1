"""Candidates that were priced before in this process: of a fleet that is planned again and again.

What a rebalancing job or a server's worker plans differs from one plan to the next in rates and in nodes that
are down. Neither changes what an instance can do, so the candidates of the last fleets are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import replace

from models.profiles.catalogue import known_profiles
from planner.candidates.enumerate import Candidates, enumerate_candidates
from planner.fleet.fleet import Fleet, ServedWorkload

__all__ = ["known_candidates"]

KEPT = 4
"""Fleets whose candidates are kept; a large one's take some 10 MB."""

_known: deque[tuple[object, Candidates]] = deque(maxlen=KEPT)


def known_candidates(
    fleet: Fleet, *, cancelled: Callable[[], bool] | None = None, confidence: float | None = None
) -> Candidates:
    """Return `enumerate_candidates` of the fleet; known already where only rates or nodes have changed."""
    key = _key(fleet, confidence)
    for each, made in tuple(_known):
        if each == key:
            return made
    made = enumerate_candidates(fleet, cancelled=cancelled, confidence=confidence)
    if cancelled is None or not cancelled():
        _known.append((key, made))
    return made


def _key(fleet: Fleet, confidence: float | None) -> tuple[object, ...]:
    """All that candidates depend on, for comparison."""
    # An instance on many nodes asks whether there are as many; more make no difference.
    most = max(fleet.policies.parallelism.pipeline, default=1)
    profiles = known_profiles()
    return (
        tuple(replace(pool, unavailable=()) for pool in fleet.pools),
        tuple(min(pool.nodes_in_service, most) for pool in fleet.pools),
        fleet.models,
        tuple(_priced(workload) for workload in fleet.workloads),
        replace(fleet.policies, headroom=0.0, placement_limits=()),
        fleet.topology,
        confidence,
        tuple(profiles.get(pool.gpu.name) for pool in fleet.pools),
    )


def _priced(workload: ServedWorkload) -> tuple[Hashable, ...]:
    """What of a workload its candidates depend on: a stream that is not Poisson's has a rate."""
    lengths = workload.lengths
    arrays = (lengths.levels, lengths.input_tokens, lengths.bands, lengths.output_tokens)
    rate = workload.rate_per_s if workload.burstiness != 1.0 else 0.0
    return (
        workload.name, workload.model, workload.ttft, workload.tpot, workload.region, workload.adapters,
        workload.burstiness, rate, workload.reuse, lengths.source, *(array.tobytes() for array in arrays),
    )  # fmt: skip
