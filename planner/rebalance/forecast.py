"""The demand of the next hours, from what was measured.

Three models are fitted, and the one with the smallest error in a backtest on the series itself speaks: the
last value; the value one season ago, shifted by how the level moved; and additive Holt–Winters (level, damped
trend, season). What counts is the *peak* over the horizon, since that is what must be served; the backtest
measures the error of exactly that, and its upper quantile becomes the margin.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from planner.rebalance.series import Series

__all__ = ["Forecast", "evenly", "forecast"]

Floats = npt.NDArray[np.float64]

SMOOTHING = tuple(itertools.product((0.1, 0.3, 0.6), (0.0, 0.05), (0.05, 0.2)))
"""Weights tried for level, trend and season."""
DAMPING = 0.98
"""Factor on the trend at each step: a trend never goes on for ever."""
MOST_ORIGINS = 60
"""Points the backtest forecasts from."""
FEWEST_ORIGINS = 12
"""With fewer of them behind two seasons, seasons are not modelled yet: the error would be known too badly."""
LOWEST_PEAK = 1e-9
"""Peaks below it have no relative error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The peak over the horizon.

    Parameters
    ----------
    peak_per_s
        Expected, requests per second.
    upper_per_s
        What a `confidence` share of the backtested peaks stayed below.
    model
        ``last value``, ``season`` or ``Holt–Winters``.
    error
        Mean absolute relative error of the peaks in the backtest; None when the series is too short for one.
    origins
        Points the backtest forecast from.
    """

    peak_per_s: float
    upper_per_s: float
    model: str
    error: float | None
    origins: int


def evenly(series: Series, step_s: float) -> Floats:
    """Return the series on an even grid that ends at its last sample, gaps filled linearly: float64[n]."""
    if len(series) == 0:
        raise InvalidInput("a series without samples")
    steps = int((series.times_s[-1] - series.times_s[0]) / step_s + 1e-9)
    grid = series.times_s[-1] - step_s * np.arange(steps, -1, -1)
    return np.asarray(np.interp(grid, series.times_s, series.values), np.float64)


def forecast(values: Floats, *, season: int, horizon: int, confidence: float = 0.9) -> Forecast:
    """Forecast the peak of the next `horizon` steps.

    Parameters
    ----------
    values
        float64[n] on an even grid, finite and not negative.
    season
        Steps in a season; less than two of them in `values`, and seasons are not modelled.
    horizon
        Steps ahead, at least 1.
    confidence
        Share of backtested peaks that `upper_per_s` covers.

    Raises
    ------
    InvalidInput
        Nothing to forecast from, or parameters out of range.
    """
    if len(values) == 0 or not np.isfinite(values).all() or (values < 0).any():
        raise InvalidInput("a forecast needs finite, non-negative values")
    if season < 2 or horizon < 1 or not 0.5 <= confidence < 1:
        raise InvalidInput(
            f"season {season} ≥ 2, horizon {horizon} ≥ 1 and confidence {confidence} in [0.5, 1) are needed"
        )
    origins = _origins(len(values), season, horizon)
    best: tuple[float, str, float, Floats] | None = None
    for name, paths in _models(values, season, horizon, origins):
        peaks = np.maximum(paths.max(axis=1), 0.0)
        actual = np.array([values[origin : origin + horizon].max() for origin in origins])
        ratios = (actual + LOWEST_PEAK) / (peaks[:-1] + LOWEST_PEAK)
        error = float(np.abs(1 / ratios - 1).mean()) if len(origins) else 0.0
        if best is None or error < best[0] * (1 - 1e-9):
            best = (error, name, float(peaks[-1]), ratios)
    assert best is not None
    error, name, peak, ratios = best
    margin = float(np.quantile(ratios, confidence, method="higher")) if len(ratios) else 1.0
    return Forecast(
        peak_per_s=peak, upper_per_s=peak * max(1.0, margin), model=name,
        error=error if len(origins) else None, origins=len(origins),
    )  # fmt: skip


def _origins(count: int, season: int, horizon: int) -> list[int]:
    """Points the backtest forecasts from: in the last half, after two seasons if that leaves enough."""
    seasonal = 2 * season + FEWEST_ORIGINS + horizon <= count
    first = max(count // 2, 2 * season if seasonal else 0)
    found = list(range(max(first, 1), count - horizon + 1))
    return found[:: max(1, -(-len(found) // MOST_ORIGINS))]


def _models(values: Floats, season: int, horizon: int, origins: Sequence[int]) -> list[tuple[str, Floats]]:
    """Each model's forecasts from every origin and from the end: float64[origins + 1, horizon]."""
    points = [*origins, len(values)]
    found = [("last value", np.stack([np.full(horizon, values[p - 1]) for p in points]))]
    if points[0] >= 2 * season:
        found.append(("season", np.stack([_seasonal(values[:p], season, horizon) for p in points])))
        found += [
            ("Holt–Winters", _holt_winters(values, season, horizon, points, *weights))
            for weights in SMOOTHING
        ]
    return found


def _seasonal(values: Floats, season: int, horizon: int) -> Floats:
    """One season ago, shifted by the change of the mean of a season."""
    shift = values[-season:].mean() - values[-2 * season : -season].mean()
    return np.asarray(values[-season:][np.arange(horizon) % season] + shift, np.float64)


def _holt_winters(
    values: Floats, season: int, horizon: int, points: Sequence[int], alpha: float, beta: float, gamma: float
) -> Floats:
    """Additive Holt–Winters with damped trend, in one pass (Hyndman & Athanasopoulos, FPP3, §8.3)."""
    level = float(values[:season].mean())
    trend = float(values[season : 2 * season].mean() - values[:season].mean()) / season
    seasonal = (values[:season] - level).tolist()
    ahead = np.cumsum(DAMPING ** np.arange(1, horizon + 1))
    wanted = set(points)
    rows = []
    for t, value in enumerate(values.tolist()):
        if t in wanted:
            rows.append(_ahead(level, trend, seasonal, t, ahead, season, horizon))
        old, phase = level, t % season
        level = alpha * (value - seasonal[phase]) + (1 - alpha) * (level + DAMPING * trend)
        trend = beta * (level - old) + (1 - beta) * DAMPING * trend
        seasonal[phase] = gamma * (value - level) + (1 - gamma) * seasonal[phase]
    rows.append(_ahead(level, trend, seasonal, len(values), ahead, season, horizon))
    return np.stack(rows)


def _ahead(
    level: float, trend: float, seasonal: list[float], t: int, ahead: Floats, season: int, horizon: int
) -> Floats:
    phases = (t + np.arange(horizon)) % season
    return np.asarray(level + trend * ahead + np.asarray(seasonal)[phases], np.float64)
