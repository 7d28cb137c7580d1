import numpy as np
import pytest

from benchmarks.silicon.errors import errors_of, quantiles


def test_errors_are_relative_to_the_measurement() -> None:
    found = errors_of([110.0, 90.0, 100.0, 200.0], [100.0, 100.0, 100.0, 100.0])
    assert (found.rows, found.median, found.mean) == (4, pytest.approx(10.0), pytest.approx(30.0))
    assert found.bias == pytest.approx(5.0)


def test_quantiles_weigh_models_not_rows() -> None:
    predicted = np.ones(1020)
    measured = np.concatenate((np.linspace(0.9, 1.1, 1000), np.full(20, 3.0)))
    one = quantiles(predicted, measured, ["a"] * 1020)
    two = quantiles(predicted, measured, ["a"] * 1000 + ["b"] * 20)
    assert one[1] < 1.1
    assert two[1] > 1.1
