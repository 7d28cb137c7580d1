"""Forecasts of series whose future is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput
from planner.rebalance.forecast import DAMPING, _holt_winters, evenly, forecast
from planner.rebalance.series import Series

DAY = 48


def daily(days: int, *, growth: float = 0.0, noise: float = 0.0) -> np.ndarray:
    t = np.arange(days * DAY)
    wave = 10 + 6 * np.sin(2 * np.pi * t / DAY) + growth * t / DAY
    return wave + noise * np.random.default_rng(1).normal(size=len(t))


def test_a_constant_load_stays() -> None:
    found = forecast(np.full(100, 7.0), season=DAY, horizon=4)
    assert (found.peak_per_s, found.upper_per_s, found.error) == (pytest.approx(7), pytest.approx(7), 0)


def test_the_morning_rise_is_seen_before_it_comes() -> None:
    """At the trough the last value says nothing of the peak; a season does."""
    values = daily(8, noise=0.1)
    end = 6 * DAY + 36  # the trough
    found = forecast(values[:end], season=DAY, horizon=DAY // 2)
    assert found.model != "last value"
    assert found.peak_per_s == pytest.approx(values[end : end + DAY // 2].max(), rel=0.1)
    assert found.error is not None
    assert found.error < 0.1


def test_growth_is_followed() -> None:
    values = daily(8, growth=1.0, noise=0.05)
    found = forecast(values[: 7 * DAY], season=DAY, horizon=DAY)
    assert found.peak_per_s == pytest.approx(values[7 * DAY :].max(), rel=0.1)


def test_upper_covers_its_share_of_the_backtest() -> None:
    noisy = np.abs(daily(10, noise=2.0))
    few = forecast(noisy, season=DAY, horizon=6, confidence=0.5)
    most = forecast(noisy, season=DAY, horizon=6, confidence=0.95)
    assert most.peak_per_s == few.peak_per_s
    assert most.upper_per_s > few.upper_per_s >= few.peak_per_s


def test_one_sample_is_a_forecast_without_a_backtest() -> None:
    found = forecast(np.array([3.0]), season=DAY, horizon=4)
    assert (found.peak_per_s, found.upper_per_s, found.error) == (3, 3, None)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0, 100), min_size=9, max_size=20),
    st.sampled_from([0.1, 0.5]), st.sampled_from([0.0, 0.2]), st.sampled_from([0.05, 0.3]),
)  # fmt: skip
def test_holt_winters_against_the_formulas(
    values: list[float], alpha: float, beta: float, gamma: float
) -> None:
    """The textbook recursion, kept as whole lists and run anew for every origin."""
    season, horizon = 4, 3
    array = np.array(values)

    def plain(known: list[float]) -> list[float]:
        level = [sum(known[:season]) / season]
        trend = [(sum(known[season : 2 * season]) - sum(known[:season])) / season**2]
        seasonal = [y - level[0] for y in known[:season]]
        for y in known:
            s = seasonal[-season]
            level.append(alpha * (y - s) + (1 - alpha) * (level[-1] + DAMPING * trend[-1]))
            trend.append(beta * (level[-1] - level[-2]) + (1 - beta) * DAMPING * trend[-1])
            seasonal.append(gamma * (y - level[-1]) + (1 - gamma) * s)
        damp = 0.0
        path = []
        for h in range(horizon):
            damp += DAMPING ** (h + 1)
            path.append(level[-1] + damp * trend[-1] + seasonal[len(seasonal) - season + h % season])
        return path

    points = [8, len(values)] if len(values) > 8 else [len(values)]
    full = array[: 2 * season]
    assert len(full) == 2 * season
    found = _holt_winters(array, season, horizon, points, alpha, beta, gamma)
    np.testing.assert_allclose(found[-1], plain(values), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found[0], plain(values[: points[0]]), rtol=1e-9, atol=1e-9)


def test_gaps_are_filled_linearly() -> None:
    series = Series(np.array([0.0, 60.0, 240.0]), np.array([1.0, 2.0, 5.0]))
    assert evenly(series, 60.0).tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("values", [[], [np.nan], [-1.0]])
def test_what_is_no_load_is_refused(values: list[float]) -> None:
    with pytest.raises(InvalidInput):
        forecast(np.array(values), season=DAY, horizon=4)


def test_little_more_than_two_seasons_are_not_a_backtest():
    # 24 steps a season, two seasons and a bit: one origin would be all that is left behind them
    values = np.tile(5 + 4 * np.sin(np.arange(24) / 24 * 2 * np.pi), 3)[:52]
    found = forecast(values, season=24, horizon=3)
    assert found.origins >= 12
    assert forecast(np.tile(values[:24], 4), season=24, horizon=3).model != "last value"
