"""Errors of predictions, and the quantiles that intervals are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Errors", "coverage", "errors_of", "quantiles"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """Absolute errors in per cent of the measurement, and the median signed one."""

    rows: int
    median: float
    mean: float
    p90: float
    bias: float

    def json(self) -> dict[str, float]:
        """Rounded for a file."""
        return {k: round(v, 1) if isinstance(v, float) else v for k, v in asdict(self).items()}


def errors_of(predicted: Sequence[float] | Floats, measured: Sequence[float] | Floats) -> Errors:
    """Errors over rows; at least one."""
    ratio = np.asarray(predicted, dtype=np.float64) / np.asarray(measured, dtype=np.float64)
    off = np.abs(ratio - 1.0) * 100
    return Errors(
        rows=int(ratio.size),
        median=float(np.median(off)),
        mean=float(off.mean()),
        p90=float(np.quantile(off, 0.9)),
        bias=float(np.median(ratio) * 100 - 100),
    )


def quantiles(predicted: Floats, measured: Floats) -> tuple[float, float]:
    """10 % and 90 % quantile of measured ÷ predicted: the factors of an 80 % interval."""
    low, high = np.quantile(np.asarray(measured) / np.asarray(predicted), [0.1, 0.9])
    return float(low), float(high)


def coverage(predicted: Floats, measured: Floats, groups: Sequence[str]) -> float:
    """Share in per cent that 80 % intervals hold, those of a group made without its own rows."""
    ratio, names = np.asarray(measured) / np.asarray(predicted), np.array(groups)
    inside = np.zeros(ratio.size, dtype=bool)
    for name in np.unique(names):
        mine = names == name
        if mine.all():
            return float("nan")
        low, high = np.quantile(ratio[~mine], [0.1, 0.9])
        inside[mine] = (low <= ratio[mine]) & (ratio[mine] <= high)
    return float(inside.mean() * 100)
