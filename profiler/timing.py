"""From repeated timings to one point: outliers, median, spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Effort", "Summary", "summarize"]

_OUTLIER_MADS = 8.0
_MOST_OUTLIERS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long to measure one point.

    Parameters
    ----------
    samples
        Timings wanted; fewer when `seconds` is over first, but at least `fewest`.
    sample_seconds
        A timing repeats short calls until it lasts this long, so that the clock's resolution does not matter.
    warmup_seconds
        Untimed calls before the first timing; at least two are always made.
    seconds
        Time after which no further timing is started, once there are `fewest`; at four times as long two are
        enough.
    """

    samples: int = 20
    fewest: int = 5
    sample_seconds: float = 5e-4
    warmup_seconds: float = 5e-3
    seconds: float = 0.5

    def enough(self, taken: int, seconds: float) -> bool:
        """Whether to stop after `taken` timings in `seconds`."""
        fewest = self.fewest if seconds <= 4 * self.seconds else min(2, self.fewest)
        return taken >= self.samples or (taken >= fewest and seconds > self.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Robust statistics of the timings kept.

    Parameters
    ----------
    kept, dropped
        Number of timings; `dropped` lay far above the others (an interrupt, a page fault).
    """

    median: float
    p10: float
    p90: float
    kept: int
    dropped: int


def summarize(samples: NDArray[np.float64]) -> Summary:
    """Median and spread of float64[n] timings, n ≥ 1.

    Timings more than eight median absolute deviations above the median are dropped, unless they are more
    than a fifth of all: then they are no accident but how this device behaves.
    """
    center = float(np.median(samples))
    # A perfectly repeatable clock still has its resolution: never call a 1 % step an outlier.
    deviation = max(float(np.median(np.abs(samples - center))), 0.002 * center)
    usual = samples <= center + _OUTLIER_MADS * deviation
    if np.count_nonzero(~usual) > _MOST_OUTLIERS * samples.size:
        usual = np.ones(samples.size, dtype=bool)
    kept = samples[usual]
    p10, median, p90 = (float(q) for q in np.quantile(kept, (0.1, 0.5, 0.9)))
    return Summary(
        median=median, p10=p10, p90=p90, kept=int(kept.size), dropped=int(samples.size - kept.size)
    )
