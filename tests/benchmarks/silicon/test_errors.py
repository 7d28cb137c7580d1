import numpy as np
import pytest

from benchmarks.silicon.errors import coverage, errors_of, quantiles


def test_errors_are_relative_to_the_measurement() -> None:
    found = errors_of([110.0, 90.0, 100.0, 200.0], [100.0, 100.0, 100.0, 100.0])
    assert (found.rows, found.median, found.mean) == (4, pytest.approx(10.0), pytest.approx(30.0))
    assert found.bias == pytest.approx(5.0)


def test_quantiles_hold_four_rows_of_five() -> None:
    measured = np.random.default_rng(0).lognormal(0.0, 0.1, 4000)
    low, high = quantiles(np.ones(4000), measured)
    assert ((low <= measured) & (measured <= high)).mean() == pytest.approx(0.8, abs=0.01)


def test_coverage_leaves_the_own_group_out() -> None:
    random = np.random.default_rng(0)
    measured = np.concatenate((random.lognormal(0.0, 0.1, 900), np.full(100, 3.0)))
    names = ["a", "b", "c"] * 300 + ["odd"] * 100
    # the odd group is outside what the others span, and widens theirs
    assert coverage(np.ones(900), measured[:900], names[:900]) == pytest.approx(80, abs=2)
    assert coverage(np.ones(1000), measured, names) < 90
    assert np.isnan(coverage(np.ones(2), measured[:2], ["a", "a"]))
