"""Expert loads add up, respect the cap of one visit a token, and skew as asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput
from profiler.routing import busiest_rank_loads, expert_loads


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 5000),
    st.integers(1, 8),
    st.sampled_from([8, 64, 128, 256]),
    st.sampled_from(["balanced", "power_law_1.01", "power_law_1.2"]),
)
def test_loads_add_up(tokens: int, top_k: int, experts: int, distribution: str) -> None:
    loads = expert_loads(tokens, top_k, experts, distribution)

    assert loads.sum() == tokens * top_k
    assert loads.max() <= tokens
    assert loads.min() >= 0
    assert np.all(np.diff(loads) <= 0)


def test_balanced_is_even_and_power_law_is_not() -> None:
    even, skewed = expert_loads(1024, 8, 128, "balanced"), expert_loads(1024, 8, 128, "power_law_1.2")

    assert even.max() - even.min() <= 1
    assert skewed.max() > 5 * np.median(skewed)


def test_the_busiest_rank_has_the_most() -> None:
    loads = expert_loads(512, 4, 16, "power_law_1.2")

    assert busiest_rank_loads(loads, 1).sum() == loads.sum()
    assert busiest_rank_loads(loads, 4).size == 4
    assert busiest_rank_loads(loads, 4).sum() >= loads.sum() / 4


@pytest.mark.parametrize("name", ["uniform", "power_law_x", "power_law_1", "power_law_-2"])
def test_unknown_distributions(name: str) -> None:
    with pytest.raises(InvalidInput, match="unknown distribution"):
        expert_loads(8, 2, 8, name)
