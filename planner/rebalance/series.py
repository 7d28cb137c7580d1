"""Measurements over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["Measured", "Series", "Source", "Wanted"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Values at times.

    Parameters
    ----------
    times_s
        float64[n], ascending: seconds since the epoch.
    values
        float64[n]; NaN where nothing was measured.
    """

    times_s: Floats
    values: Floats

    def __post_init__(self) -> None:
        times, values = np.asarray(self.times_s, np.float64), np.asarray(self.values, np.float64)
        if times.shape != values.shape or times.ndim != 1:
            raise InvalidInput(f"a series of {times.shape} times and {values.shape} values")
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise InvalidInput("the times of a series must be finite and ascend")
        object.__setattr__(self, "times_s", times)
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.times_s)

    def only(self, keep: npt.NDArray[np.bool_]) -> Series:
        """The samples that `keep`, bool[n], marks."""
        return Series(self.times_s[keep], self.values[keep])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What was measured of one workload.

    Parameters
    ----------
    rate_per_s
        Requests per second.
    instances
        Instances that answered, where that is known: a rise marks a cold start.
    ttft_ms, tpot_ms
        At the percentiles of the workload's targets, where measured.
    """

    rate_per_s: Series
    instances: Series | None = None
    ttft_ms: Series | None = None
    tpot_ms: Series | None = None


class Source(Protocol):
    """Where measurements come from."""

    def read(self, workloads: Sequence[Wanted], *, end_s: float, length_s: float) -> Mapping[str, Measured]:
        """Measurements of each workload, by name, of the `length_s` seconds before `end_s`.

        Raises
        ------
        Unavailable
            They cannot be read now.
        InvalidInput
            They are not what was asked for; a workload without any is one of these.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A workload to be measured: its name, what its model is served as, the percentiles of its targets."""

    workload: str
    model: str
    ttft_percentile: float
    tpot_percentile: float
