"""Linear radial basis functions: exact at the points, piecewise linear in one dimension, local."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.profiles.scattered import NEIGHBOURS, ScatteredInterpolant


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 4), st.integers(0, 10_000))
def test_exact_at_the_points(n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, values = rng.uniform(0, 10, (n, d)), rng.normal(size=n)

    np.testing.assert_allclose(ScatteredInterpolant(points, values)(points), values, atol=1e-8)


def test_one_dimension_is_piecewise_linear_and_flat_outside() -> None:
    x, y = np.array([0.0, 1.0, 4.0, 6.0]), np.array([1.0, 3.0, -2.0, 0.5])
    q = np.linspace(0, 6, 50)

    np.testing.assert_allclose(ScatteredInterpolant(x[:, None], y)(q[:, None]), np.interp(q, x, y), atol=1e-9)


def test_leave_one_out_equals_a_refit() -> None:
    rng = np.random.default_rng(3)
    points, values = rng.uniform(size=(40, 3)), rng.normal(size=40)
    whole = ScatteredInterpolant(points, values)
    expected = []
    for i in range(40):
        keep = np.arange(40) != i
        expected.append(ScatteredInterpolant(points[keep], values[keep])(points[i : i + 1])[0] - values[i])

    np.testing.assert_allclose(whole.leave_one_out(), expected, atol=1e-9)
    np.testing.assert_allclose(whole.leave_one_out(np.array([7, 2])), np.array(expected)[[7, 2]], atol=1e-9)


def test_only_neighbours_matter() -> None:
    points = np.arange(200.0)[:, None]
    values = np.sin(points[:, 0] / 9)
    changed = values.copy()
    changed[100 + NEIGHBOURS :] += 50

    query = np.array([[90.3]])
    assert ScatteredInterpolant(points, values)(query) == pytest.approx(
        ScatteredInterpolant(points, changed)(query)
    )


def test_one_point_is_a_constant() -> None:
    single = ScatteredInterpolant(np.zeros((1, 2)), np.array([5.0]))

    np.testing.assert_allclose(single(np.array([[1.0, 2.0], [0.0, 0.0]])), 5.0)
    assert single.leave_one_out().tolist() == [0.0]
