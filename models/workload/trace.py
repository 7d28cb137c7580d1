"""A recorded stream of requests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.workload.lengths import LengthDistribution
from models.workload.prefixes import PrefixBlocks

__all__ = ["Trace"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """Requests in order of arrival.

    Parameters
    ----------
    arrivals_s
        float64[n], seconds since the first request, ascending.
    input_tokens, output_tokens
        int64[n]; a request has at least one of each.
    source
        Where it was read from.
    prefixes
        Which prompts begin alike, where the trace says so.
    """

    arrivals_s: npt.NDArray[np.float64]
    input_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]
    source: str
    prefixes: PrefixBlocks | None = None

    def __post_init__(self) -> None:
        arrivals = np.ascontiguousarray(self.arrivals_s, dtype=np.float64)
        if arrivals.ndim != 1 or arrivals.size == 0:
            raise InvalidInput("a trace needs at least one request", source=self.source)
        if not np.isfinite(arrivals).all() or (np.diff(arrivals) < 0).any():
            raise InvalidInput("arrival times must be finite and ascending", source=self.source)
        for name in ("input_tokens", "output_tokens"):
            tokens = np.ascontiguousarray(getattr(self, name), dtype=np.int64)
            if tokens.shape != arrivals.shape:
                raise InvalidInput(f"{name} must have one entry per arrival", source=self.source)
            if (tokens < 1).any():
                raise InvalidInput(
                    f"{name} must be ≥ 1, request {int(np.argmax(tokens < 1))} has {int(tokens.min())}",
                    source=self.source,
                )
            tokens.flags.writeable = False
            object.__setattr__(self, name, tokens)
        if self.prefixes is not None and self.prefixes.first.size != arrivals.size + 1:
            raise InvalidInput("prefixes must have the blocks of every request", source=self.source)
        arrivals.flags.writeable = False
        object.__setattr__(self, "arrivals_s", arrivals)

    def __len__(self) -> int:
        return int(self.arrivals_s.size)

    @property
    def duration_s(self) -> float:
        """From the first to the last arrival."""
        return float(self.arrivals_s[-1] - self.arrivals_s[0])

    @property
    def rate_per_s(self) -> float:
        """Mean arrival rate: intervals per second of the trace.

        Raises
        ------
        InvalidInput
            All requests arrive at once, so that there is no rate.
        """
        if self.duration_s <= 0:
            raise InvalidInput("the trace spans no time: state the rate beside it", source=self.source)
        return (len(self) - 1) / self.duration_s

    def window_rates_per_s(self, window_s: float) -> npt.NDArray[np.float64]:
        """Arrival rate of each full window, float64[floor(duration / window)] (at least one entry)."""
        if not window_s > 0:
            raise InvalidInput(f"the window must be positive, got {window_s!r} s")
        count = max(int(self.duration_s // window_s), 1)
        offsets = self.arrivals_s - self.arrivals_s[0]
        inside = offsets < count * window_s
        index = (offsets[inside] // window_s).astype(np.int64)
        return np.bincount(index, minlength=count) / window_s

    def scaled(self, factor: float) -> Trace:
        """The same requests arriving `factor` times as fast."""
        if not 0 < factor < np.inf:
            raise InvalidInput(f"the scale must be positive and finite, got {factor!r}")
        return Trace(
            arrivals_s=self.arrivals_s / factor,
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            source=self.source,
            prefixes=self.prefixes,
        )

    def lengths(self) -> LengthDistribution:
        """The length distribution of its requests, as a quantile table."""
        return LengthDistribution.from_samples(self.input_tokens, self.output_tokens, source=self.source)
