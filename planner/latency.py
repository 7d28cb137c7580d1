"""Latencies counted in ranges, as engines report them: they add up, which percentiles do not."""

from __future__ import annotations

import bisect
import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["LatencyHistogram"]


@dataclass(frozen=True, slots=True)
class LatencyHistogram:
    """How often a latency lay in which range.

    Parameters
    ----------
    upper_bounds_ms
        Of all ranges but the last, which is without bound; positive, ascending.
    counts
        How many in each; one more than there are bounds.
    """

    upper_bounds_ms: tuple[float, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        bounds = self.upper_bounds_ms
        if len(self.counts) != len(bounds) + 1:
            raise InvalidInput(
                f"{len(bounds)} upper bounds need {len(bounds) + 1} counts, got {len(self.counts)}"
            )
        if not all(math.isfinite(b) and b > 0 for b in bounds) or any(
            a >= b for a, b in itertools.pairwise(bounds)
        ):
            raise InvalidInput("upper bounds must be finite, positive and ascend")
        if any(count < 0 for count in self.counts):
            raise InvalidInput("counts must not be negative")

    @property
    def total(self) -> int:
        """How many were counted."""
        return sum(self.counts)

    def __add__(self, other: LatencyHistogram) -> LatencyHistogram:
        """Both together. Where bounds differ, a range that is cut is shared out in proportion to its length,
        rounded so that the total holds.
        """
        if self.upper_bounds_ms == other.upper_bounds_ms:
            counts = tuple(a + b for a, b in zip(self.counts, other.counts, strict=True))
            return LatencyHistogram(self.upper_bounds_ms, counts)
        bounds = tuple(sorted({*self.upper_bounds_ms, *other.upper_bounds_ms}))
        return LatencyHistogram(bounds, self._recut(bounds)) + LatencyHistogram(bounds, other._recut(bounds))

    def _recut(self, bounds: Sequence[float]) -> tuple[int, ...]:
        below = [round(self._below(bound)) for bound in bounds]
        return tuple(b - a for a, b in itertools.pairwise((0, *below, self.total)))

    def _below(self, latency_ms: float) -> float:
        """How many were at most `latency_ms`; what lies beyond the last bound counts as never reached."""
        at = bisect.bisect_left(self.upper_bounds_ms, latency_ms)
        before = float(sum(self.counts[:at]))
        if at == len(self.upper_bounds_ms):
            return before
        low = self.upper_bounds_ms[at - 1] if at else 0.0
        return before + self.counts[at] * (latency_ms - low) / (self.upper_bounds_ms[at] - low)

    def quantile_ms(self, percentile: float) -> float | None:
        """The latency at a percentile, 0 to 100: linear within its range, as Prometheus has it.

        None where nothing was counted; the last bound where it lies beyond that.
        """
        if not self.total or not self.upper_bounds_ms:
            return None
        wanted, seen = self.total * percentile / 100, 0
        for at, bound in enumerate(self.upper_bounds_ms):
            count = self.counts[at]
            if count and seen + count >= wanted:
                low = self.upper_bounds_ms[at - 1] if at else 0.0
                return low + (bound - low) * max(0.0, wanted - seen) / count
            seen += count
        return self.upper_bounds_ms[-1]

    @classmethod
    def from_cumulative(cls, buckets: Mapping[float, float]) -> LatencyHistogram:
        """From Prometheus' buckets: how many were at most so many *seconds*, by bound, infinity included.

        Raises
        ------
        InvalidInput
            No bucket is without bound, or a bucket holds less than a smaller one.
        """
        ordered = sorted(buckets.items())
        if not ordered or not math.isinf(ordered[-1][0]):
            raise InvalidInput('a histogram needs a bucket without bound (le="+Inf")')
        counts = [round(b) - round(a) for a, b in itertools.pairwise((0.0, *(n for _, n in ordered)))]
        return cls(tuple(1e3 * bound for bound, _ in ordered[:-1]), tuple(counts))

    def to_json(self) -> str:
        """As text."""
        return json.dumps([self.upper_bounds_ms, self.counts], separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> LatencyHistogram:
        """Read what `to_json` wrote."""
        bounds, counts = json.loads(text)
        return cls(tuple(bounds), tuple(counts))
