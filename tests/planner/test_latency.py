from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput
from planner.latency import LatencyHistogram

BOUNDS = st.lists(st.integers(1, 500), min_size=1, max_size=8, unique=True).map(sorted)


@st.composite
def histograms(draw):
    bounds = draw(BOUNDS)
    counts = draw(st.lists(st.integers(0, 50), min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    return LatencyHistogram(tuple(map(float, bounds)), tuple(counts))


@given(histograms(), histograms())
def test_a_sum_keeps_every_count_and_what_is_known_at_shared_bounds(a, b) -> None:
    both = a + b
    assert both == b + a
    assert both.total == a.total + b.total
    assert both.counts[-1] >= 0
    for bound in set(a.upper_bounds_ms) & set(b.upper_bounds_ms):
        below = [
            sum(n for u, n in zip(h.upper_bounds_ms, h.counts, strict=False) if u <= bound)
            for h in (a, b, both)
        ]
        assert below[2] == below[0] + below[1]


@given(st.lists(st.floats(1, 999), min_size=1, max_size=200), st.floats(1, 99), st.integers(1, 40))
def test_a_quantile_is_off_by_at_most_a_range(values, percentile, width) -> None:
    bounds = [float(b) for b in range(width, 1000 + width, width)]
    counts = np.histogram(values, [0.0, *bounds])[0]
    found = LatencyHistogram(tuple(bounds), (*map(int, counts), 0)).quantile_ms(percentile)
    exact = float(np.percentile(values, percentile, method="inverted_cdf"))
    assert found is not None
    assert abs(found - exact) <= width + 1e-9


@given(histograms())
def test_text_and_prometheus_forms_come_back(histogram) -> None:
    assert LatencyHistogram.from_json(histogram.to_json()) == histogram
    cumulative = np.cumsum(histogram.counts)
    bounds = [b / 1e3 for b in histogram.upper_bounds_ms] + [math.inf]
    again = LatencyHistogram.from_cumulative(dict(zip(bounds, map(float, cumulative), strict=True)))
    assert again.counts == histogram.counts
    assert again.upper_bounds_ms == pytest.approx(histogram.upper_bounds_ms)


def test_what_is_no_histogram_is_refused() -> None:
    for bounds, counts in (((1.0,), (1,)), ((2.0, 1.0), (1, 1, 1)), ((1.0,), (1, -1)), ((math.inf,), (1, 1))):
        with pytest.raises(InvalidInput):
            LatencyHistogram(bounds, counts)
    with pytest.raises(InvalidInput):
        LatencyHistogram.from_cumulative({0.1: 2.0})
    with pytest.raises(InvalidInput):
        LatencyHistogram.from_cumulative({0.1: 2.0, math.inf: 1.0})


def test_nothing_counted_has_no_quantile() -> None:
    assert LatencyHistogram((1.0,), (0, 0)).quantile_ms(50) is None
    assert LatencyHistogram((1.0,), (0, 3)).quantile_ms(50) == 1.0
