"""Errors of predictions, and the quantiles that intervals are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

__all__ = [
    "Counted",
    "Errors",
    "Ratios",
    "coverage",
    "errors_of",
    "inside",
    "intervals_without",
    "quantiles",
    "tail_of",
]

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


TAILS = (0.10, 0.08, 0.065, 0.05, 0.04, 0.03, 0.02, 0.01)
"""Shares left out on either side, widest last."""
WANTED = 0.8
Ratios = Mapping[str, tuple[Floats, Sequence[str]]]
"""Measured ÷ predicted of the rows of each engine, with their models."""
Counted = Mapping[str, npt.NDArray[np.bool_]]
"""Which rows of each engine are asked about; the others only make the intervals. None = all."""


def quantiles(ratio: Floats, tail: float) -> tuple[float, float]:
    """The factors of an interval that leaves out a share of the rows on either side."""
    low, high = np.quantile(ratio, [tail, 1.0 - tail])
    return float(low), float(high)


def inside(engines: Ratios, tail: float) -> npt.NDArray[np.bool_]:
    """Of every row, whether the interval of its engine, made without its model, holds it.

    An engine with one model is left out: nothing is known of it without that model.
    """
    out = []
    for ratio, models in engines.values():
        names = np.array(models)
        for name in np.unique(names):
            mine = names == name
            if not mine.all():
                low, high = quantiles(ratio[~mine], tail)
                out.append((low <= ratio[mine]) & (ratio[mine] <= high))
    return np.concatenate(out) if out else np.zeros(0, dtype=bool)


def tail_of(engines: Ratios) -> float:
    """The share to leave out on either side so that intervals hold 80 % of the rows of models left out.

    Rows of one model err alike: quantiles of the rows of some models hold fewer of another's than they say.
    One share for all engines, chosen over models that are left out in turn.
    """
    for tail in TAILS:
        found = inside(engines, tail)
        if not found.size or found.mean() >= WANTED:
            return tail
    return TAILS[-1]


def coverage(engines: Ratios, counted: Counted | None = None) -> tuple[float, int]:
    """Share in per cent of rows that intervals hold, made and widened without their model, and the rows."""
    held = rows = 0
    for name in sorted({m for _, models in engines.values() for m in models}):
        intervals = intervals_without(engines, name)
        for key, (ratio, models) in engines.items():
            mine = np.array(models) == name
            if counted is not None:
                mine &= counted[key]
            if key in intervals and mine.any():
                low, high = intervals[key]
                held += int(((low <= ratio[mine]) & (ratio[mine] <= high)).sum())
                rows += int(mine.sum())
    return (held / rows * 100 if rows else float("nan")), rows


def intervals_without(engines: Ratios, model: str) -> dict[str, tuple[float, float]]:
    """The interval of each engine, made and widened without a model; none where nothing else is known."""
    others = {k: part for k, v in engines.items() if (part := _without(v, model))[1]}
    tail = tail_of(others)
    return {k: quantiles(ratio, tail) for k, (ratio, _) in others.items()}


def _without(rows: tuple[Floats, Sequence[str]], model: str) -> tuple[Floats, list[str]]:
    keep = np.array([m != model for m in rows[1]], dtype=bool)
    return rows[0][keep], [m for m in rows[1] if m != model]
