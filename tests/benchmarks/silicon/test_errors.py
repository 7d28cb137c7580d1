import numpy as np
import pytest

from benchmarks.silicon.errors import coverage, errors_of, inside, quantiles, tail_of


def test_errors_are_relative_to_the_measurement() -> None:
    found = errors_of([110.0, 90.0, 100.0, 200.0], [100.0, 100.0, 100.0, 100.0])
    assert (found.rows, found.median, found.mean) == (4, pytest.approx(10.0), pytest.approx(30.0))
    assert found.bias == pytest.approx(5.0)


def test_quantiles_hold_what_they_do_not_leave_out() -> None:
    ratio = np.random.default_rng(0).lognormal(0.0, 0.1, 4000)
    low, high = quantiles(ratio, 0.1)
    assert ((low <= ratio) & (ratio <= high)).mean() == pytest.approx(0.8, abs=0.01)


def models_that_err_alike(count: int) -> tuple[np.ndarray, list[str]]:
    """Ratios of `count` models: each has an error of its own, as large as that of its rows."""
    random = np.random.default_rng(1)
    own = random.normal(0.0, 0.1, count)
    ratio = np.exp(np.repeat(own, 100) + random.normal(0.0, 0.1, 100 * count))
    return ratio, [f"m{i}" for i in range(count) for _ in range(100)]


def test_rows_of_a_model_left_out_need_a_wider_interval_than_pooled_rows_say() -> None:
    engines = {"a": models_that_err_alike(5)}
    assert inside(engines, 0.1).mean() < 0.8
    assert tail_of(engines) < 0.1
    assert inside(engines, tail_of(engines)).mean() >= 0.8
    # rows without errors of their model need none
    ratio = np.random.default_rng(0).lognormal(0.0, 0.1, 4000)
    assert tail_of({"a": (ratio, [f"m{i % 8}" for i in range(4000)])}) >= 0.08


def test_coverage_is_of_models_that_had_no_part_in_the_interval_or_its_width() -> None:
    share, rows = coverage({"a": models_that_err_alike(12), "b": models_that_err_alike(12)})
    assert rows == 2400
    assert share == pytest.approx(80, abs=6)
    odd = (np.concatenate((np.ones(50), np.full(50, 3.0))), ["same"] * 50 + ["odd"] * 50)
    assert coverage({"a": odd}) == (0.0, 100)
    alone, none = coverage({"a": (np.ones(3), ["m", "m", "m"])})
    assert np.isnan(alone)
    assert none == 0


def test_rows_that_are_not_counted_only_make_the_interval() -> None:
    ratio = np.concatenate((np.linspace(0.9, 1.1, 50), np.full(10, 5.0)))
    engines = {"": (ratio, ["known"] * 50 + ["new"] * 10)}
    new = {"": np.array([False] * 50 + [True] * 10)}
    assert coverage(engines, new) == (0.0, 10)
    assert coverage(engines)[1] == 60
