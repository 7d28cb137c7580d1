"""Statistics of traces against processes whose figures are known, and a cache counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import InvalidInput
from models.workload import PrefixBlocks, Trace, arrivals_s
from models.workload.lengths import LengthDistribution
from models.workload.statistics import cached_share, describe_lengths, describe_trace


def trace(arrivals, inputs=None, outputs=None, prefixes=None):
    n = len(arrivals)
    return Trace(
        arrivals_s=np.array(arrivals), source="t", prefixes=prefixes,
        input_tokens=np.full(n, 100) if inputs is None else np.array(inputs),
        output_tokens=np.full(n, 10) if outputs is None else np.array(outputs),
    )  # fmt: skip


@pytest.mark.parametrize("variation", [0.0, 1.0, 3.0])
def test_gaps_and_counts_of_a_renewal_process(variation):
    """Of gaps with coefficient of variation c, counts in long windows have the dispersion c²."""
    found = describe_trace(trace(arrivals_s(60_000, 10.0, variation=variation, seed=1))).arrivals
    assert found is not None
    assert found.rate_per_s == pytest.approx(10, rel=0.05)
    assert found.gap_variation == pytest.approx(variation, abs=0.05 + 0.05 * variation)
    minute = next(one for one in found.windows if one.window_s == 60)
    assert minute.dispersion == pytest.approx(variation**2, rel=0.4, abs=0.02)
    assert minute.peak_to_mean >= 1


def test_a_day_of_two_levels_is_seen_by_hour():
    busy = np.arange(0, 3600, 0.5)
    calm = 3600 + np.arange(0, 3600, 2.0)
    found = describe_trace(trace(np.concatenate((busy, calm, [7200.0])))).arrivals
    assert found is not None
    assert found.hours == pytest.approx((1.6, 0.4), rel=0.01)


def test_quantiles_histogram_and_correlation():
    rng = np.random.default_rng(0)
    inputs = rng.integers(1, 4000, 5000)
    found = describe_trace(trace(np.arange(5000.0), inputs, inputs * 2))
    assert found.input_tokens.counts.sum() == 5000
    assert found.input_tokens.quantiles[0.5] == pytest.approx(np.median(inputs))
    assert found.length_correlation == pytest.approx(1.0)
    assert describe_trace(trace(np.arange(9.0))).length_correlation == 0
    assert describe_trace(trace([0.0, 0.0])).arrivals is None


def test_a_table_of_lengths_is_described_by_its_samples():
    table = LengthDistribution.from_samples(np.arange(1, 2001), np.arange(1, 2001), source="t")
    found = describe_lengths(table)
    assert found.requests == 0
    assert found.input_tokens.mean == pytest.approx(1000, rel=0.03)


def test_a_cache_counted_by_hand():
    """Two blocks fit. [1 2] is new; [1 2] is found; [3] drops 2, the end of what was used; [1 2] finds 1."""
    blocks = PrefixBlocks.of_lists(10, [[1, 2], [1, 2], [3], [1, 2]])
    tokens = np.array([20, 20, 10, 20])
    assert cached_share(blocks, tokens, 20) == pytest.approx((20 + 10) / 70)
    with pytest.raises(InvalidInput, match="holds no block"):
        cached_share(blocks, tokens, 9)


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=12))
def test_a_larger_cache_finds_no_less_and_an_endless_one_the_ideal(prompts):
    # A name stands for the whole prefix: the path to the block.
    ids: dict[tuple[int, ...], int] = {}
    names = [[ids.setdefault(tuple(p[: k + 1]), len(ids)) for k in range(len(p))] for p in prompts]
    tokens = np.array([max(1, 8 * len(p)) for p in prompts])
    blocks = PrefixBlocks.of_lists(8, names)
    shares = [cached_share(blocks, tokens, 8 * size) for size in (1, 2, 4, 100)]
    assert shares[-1] == pytest.approx(blocks.repeated_share(tokens))
    assert max(shares) == shares[-1]
