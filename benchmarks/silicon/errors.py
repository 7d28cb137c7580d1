"""Errors of predictions, and the quantiles that intervals are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Errors", "errors_of", "quantiles"]

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


def quantiles(predicted: Floats, measured: Floats, groups: Sequence[str]) -> tuple[float, float]:
    """10 % and 90 % quantile of measured ÷ predicted, each group (model) weighing the root of its rows."""
    ratio = np.asarray(measured) / np.asarray(predicted)
    weight = np.array([groups.count(g) ** -0.5 for g in groups])
    order = np.argsort(ratio)
    level = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    low, high = np.interp([0.1, 0.9], level, ratio[order])
    return float(low), float(high)
