"""Requests to replay: one draw for every rate, so that two loads differ by the load and not by luck."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.workload import LengthDistribution

__all__ = ["Stream"]

RUN_IN = 0.2
"""Share of the requests at the beginning that are not counted: the instance fills up."""
RUN_OUT = 0.1
"""Share at the end that is not counted: nothing arrives behind them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Poisson arrivals with lengths of a distribution.

    Parameters
    ----------
    gaps
        float64[n]: time since the arrival before, in units of the mean gap.
    input_tokens, output_tokens
        int64[n], at least 1.
    """

    gaps: npt.NDArray[np.float64]
    input_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]

    @classmethod
    def draw(cls, lengths: LengthDistribution, count: int, *, name: str, seed: int) -> Stream:
        """`count` requests; `name` keeps the streams of two workloads apart under one seed."""
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        inputs, outputs = lengths.sample(count, int(random.integers(2**31)))
        return cls(
            gaps=random.exponential(1.0, count),
            input_tokens=np.maximum(inputs, 1),
            output_tokens=np.maximum(outputs, 1),
        )

    def arrivals_s(self, rate_per_s: float) -> npt.NDArray[np.float64]:
        """float64[n]: arrival times at a rate."""
        return np.cumsum(self.gaps) / rate_per_s

    @property
    def counted(self) -> slice:
        """The requests whose latencies count."""
        count = self.gaps.size
        return slice(int(RUN_IN * count), count - int(RUN_OUT * count))
