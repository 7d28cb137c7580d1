"""Ways to serve a load on one GPU type: equal mixed instances, or prefill and decode of one shape each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from planner.candidates.candidate import Candidate

__all__ = ["Way", "ways_for_gpus", "ways_for_rate"]

ROUNDING = 1e-9
"""Relative slack of a division: 20/s on instances of 5/s are four, not five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """So many instances of one mixed candidate, or of one prefill and one decode candidate.

    Parameters
    ----------
    parts
        Candidates with their counts: one mixed, or prefill and decode.
    capacity_per_s
        Requests per second all of them serve within the targets.
    """

    parts: tuple[tuple[int, Candidate], ...]
    capacity_per_s: float

    @property
    def gpus(self) -> int:
        """GPUs of all instances."""
        return sum(count * candidate.gpus for count, candidate in self.parts)

    @property
    def instances(self) -> int:
        """Instances of all parts."""
        return sum(count for count, _ in self.parts)

    @property
    def price_per_hour(self) -> float:
        """Price of all GPUs for an hour."""
        return sum(count * candidate.price_per_hour for count, candidate in self.parts)

    @property
    def disaggregated(self) -> bool:
        """Whether prefill and decode are apart."""
        return len(self.parts) > 1

    @property
    def ttft_ms(self) -> float:
        """TTFT at full load, at the target's percentile."""
        return max(c.ttft_ms for _, c in self.parts if c.ttft_ms is not None)

    @property
    def tpot_ms(self) -> float:
        """TPOT at full load, at the target's percentile."""
        return max(c.tpot_ms for _, c in self.parts if c.tpot_ms is not None)

    @property
    def capacity_per_s_per_gpu(self) -> float:
        """Requests per second and GPU."""
        return self.capacity_per_s / self.gpus


def ways_for_rate(candidates: Sequence[Candidate], rate_per_s: float) -> list[Way]:
    """Return every uniform way that serves a rate: fewest GPUs first, then fewest instances, most slack."""
    ways = [_way((_count(rate_per_s, c.capacity_per_s), c)) for c in candidates if c.role == "mixed"]
    ways += [
        _way((_count(rate_per_s, p.capacity_per_s), p), (_count(rate_per_s, d.capacity_per_s), d))
        for p, d in _pairs(candidates)
    ]
    return sorted(ways, key=lambda way: (way.gpus, way.instances, -way.capacity_per_s))


def ways_for_gpus(candidates: Sequence[Candidate], gpus: int) -> list[Way]:
    """Return, for every candidate and pair, the way that serves most on so many GPUs; most requests first."""
    ways = [_way((gpus // c.gpus, c)) for c in candidates if c.role == "mixed" and c.gpus <= gpus]
    for prefill, decode in _pairs(candidates):
        splits = [
            _way(((gpus - n * decode.gpus) // prefill.gpus, prefill), (n, decode))
            for n in range(1, (gpus - prefill.gpus) // decode.gpus + 1)
        ]
        if splits:
            best = max(splits, key=lambda way: way.capacity_per_s)
            # Instances beyond what the weaker side can use only cost.
            ways.append(
                _way(*((_count(best.capacity_per_s, c.capacity_per_s), c) for c in (prefill, decode)))
            )
    return sorted(ways, key=lambda way: (-way.capacity_per_s, way.gpus, way.instances))


def _pairs(candidates: Sequence[Candidate]) -> list[tuple[Candidate, Candidate]]:
    prefill = [c for c in candidates if c.role == "prefill"]
    decode = [c for c in candidates if c.role == "decode"]
    return [(p, d) for p in prefill for d in decode]


def _way(*parts: tuple[int, Candidate]) -> Way:
    return Way(
        parts=parts, capacity_per_s=min(count * candidate.capacity_per_s for count, candidate in parts)
    )


def _count(rate_per_s: float, capacity_per_s: float) -> int:
    return max(1, math.ceil(rate_per_s / capacity_per_s * (1 - ROUNDING)))
