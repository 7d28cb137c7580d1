import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput
from models.workload import LengthDistribution


def skewed(count: int = 20_000, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Prompts log-normal, outputs shorter for longer prompts."""
    random = np.random.default_rng(seed)
    inputs = np.rint(np.exp(random.normal(6.5, 0.9, count))) + 1
    outputs = np.rint(random.exponential(60_000 / (inputs + 300))) + 1
    return inputs, outputs


def test_table_of_samples_keeps_means_quantiles_and_dependence() -> None:
    inputs, outputs = skewed()
    table = LengthDistribution.from_samples(inputs, outputs, source="test")
    assert table.mean_input_tokens == pytest.approx(inputs.mean(), rel=0.01)
    assert table.mean_output_tokens == pytest.approx(outputs.mean(), rel=0.01)
    for level in (0.1, 0.5, 0.9, 0.99):
        assert table.input_quantile(level) == pytest.approx(np.quantile(inputs, level), rel=0.01)
        assert table.output_quantile(level) == pytest.approx(np.quantile(outputs, level), rel=0.03)
    points = table.points()
    product = points.mean(points.input_tokens * points.output_tokens)
    assert product == pytest.approx((inputs * outputs).mean(), rel=0.05)
    # the dependence matters: without it the product would be far larger
    assert product < 0.75 * inputs.mean() * outputs.mean()


def test_points_have_the_means_of_the_table_exactly() -> None:
    table = LengthDistribution.from_samples(*skewed(), source="test")
    for size in ((4, 2), (32, 8)):
        points = table.points(*size)
        assert points.weight.sum() == pytest.approx(1)
        assert points.mean(points.input_tokens) == pytest.approx(table.mean_input_tokens, rel=1e-9)
        assert points.mean(points.output_tokens) == pytest.approx(table.mean_output_tokens, rel=1e-9)


def test_samples_follow_the_table_and_the_seed() -> None:
    table = LengthDistribution.from_samples(*skewed(), source="test")
    inputs, outputs = table.sample(50_000, seed=1)
    assert inputs.dtype == outputs.dtype == np.int64
    assert inputs.mean() == pytest.approx(table.mean_input_tokens, rel=0.02)
    assert np.quantile(outputs, 0.95) == pytest.approx(table.output_quantile(0.95), rel=0.03)
    again = table.sample(50_000, seed=1)
    assert (again[0] == inputs).all()
    assert (again[1] == outputs).all()
    assert (table.sample(50_000, seed=2)[0] != inputs).any()


def test_fixed_lengths() -> None:
    table = LengthDistribution.fixed(1024, 128)
    assert (table.mean_input_tokens, table.output_quantile(0.9)) == (1024, 128)
    points = table.points()
    assert set(points.input_tokens) == {1024}
    assert table.longest_request_tokens == 1152


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 10**5), st.integers(1, 10**4)), min_size=1, max_size=200))
def test_any_samples_make_a_valid_table(pairs: list[tuple[int, int]]) -> None:
    inputs, outputs = zip(*pairs, strict=True)
    table = LengthDistribution.from_samples(inputs, outputs, source="test")
    assert min(inputs) - 1e-6 <= table.mean_input_tokens <= max(inputs) + 1e-6
    assert table.output_quantile(1.0) == pytest.approx(max(outputs))
    drawn = table.sample(100, seed=0)
    assert drawn[0].min() >= min(inputs)
    assert drawn[1].max() <= max(outputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"levels": [0.0, 0.5, 0.9]}, "levels must ascend strictly from 0 to 1"),
        ({"input_tokens": [5.0, 4.0, 6.0]}, "may not fall"),
        ({"input_tokens": [0.0, 4.0, 6.0]}, "at least 1 token"),
        ({"input_tokens": [1.0, float("nan"), 6.0]}, "input_tokens must be finite"),
        ({"bands": [0.5]}, "bands must ascend"),
        ({"output_tokens": [[1.0, 2.0]]}, "must have the shape"),
    ],
)
def test_impossible_tables_are_refused(change: dict[str, list[float]], message: str) -> None:
    fields = {
        "levels": [0.0, 0.5, 1.0],
        "input_tokens": [1.0, 2.0, 3.0],
        "bands": [1.0],
        "output_tokens": [[1.0, 2.0, 3.0]],
    }
    with pytest.raises(InvalidInput, match=message):
        LengthDistribution(**{k: np.array(v) for k, v in {**fields, **change}.items()}, source="test")
