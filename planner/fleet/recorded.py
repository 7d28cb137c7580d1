"""Recorded requests behind a workload: what verification replays beside random arrivals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.workload import Trace

__all__ = ["Part", "Recorded"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Requests of a stretch of a trace.

    Parameters
    ----------
    arrivals_s
        float64[n] since the beginning of the stretch, ascending.
    input_tokens, output_tokens
        int64[n].
    rate_per_s
        What was planned for on their behalf: their mean rate, or a percentile of their windows.
    """

    arrivals_s: npt.NDArray[np.float64]
    input_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    rate_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A trace with the rates that were read from it, before the document's ``scale``.

    Parameters
    ----------
    rates_per_s
        Planned rate of each period; one entry: of the whole trace.
    period_s
        Length of a period; None: the trace is one stretch.
    """

    trace: Trace
    rates_per_s: tuple[float, ...]
    period_s: float | None = None

    def part(self, period: int) -> Part | None:
        """What arrives in a period, or ever; None where that is nothing."""
        trace = self.trace
        offsets = trace.arrivals_s - trace.arrivals_s[0]
        begin, end, rate = 0.0, np.inf, self.rates_per_s[0]
        if self.period_s is not None:
            begin, end = period * self.period_s, (period + 1) * self.period_s
            rate = self.rates_per_s[period]
        inside = (offsets >= begin) & (offsets < end)
        if rate <= 0 or not inside.any():
            return None
        return Part(
            arrivals_s=offsets[inside] - begin,
            input_tokens=trace.input_tokens[inside],
            output_tokens=trace.output_tokens[inside],
            rate_per_s=rate,
        )
