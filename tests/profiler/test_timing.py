"""Summaries of timings: robust against accidents, honest about habits."""

import numpy as np
import pytest

from profiler.timing import Effort, summarize


def test_median_and_spread() -> None:
    found = summarize(np.arange(1.0, 12.0))

    assert (found.p10, found.median, found.p90) == (2.0, 6.0, 10.0)
    assert (found.kept, found.dropped) == (11, 0)


def test_accidents_are_dropped() -> None:
    samples = np.concatenate((np.linspace(9.9, 10.1, 18), [50.0, 400.0]))
    found = summarize(samples)

    assert found.dropped == 2
    assert found.p90 < 10.2


def test_habits_are_kept() -> None:
    samples = np.array([10.0] * 14 + [30.0] * 6)
    found = summarize(samples)

    assert found.dropped == 0
    assert found.p90 == 30.0


def test_a_perfectly_steady_clock_has_no_outliers() -> None:
    found = summarize(np.array([5.0] * 10 + [5.05]))

    assert found.dropped == 0
    assert found.median == pytest.approx(5.0)


def test_slow_calls_are_timed_less_often_but_at_least_twice() -> None:
    effort = Effort(samples=20, fewest=5, seconds=0.5)

    assert not effort.enough(4, 0.6)  # short of the fewest
    assert effort.enough(5, 0.6)
    assert not effort.enough(5, 0.4)  # there is time for more
    assert effort.enough(20, 0.1)
    assert not effort.enough(1, 9.0)
    assert effort.enough(2, 2.1)
