import numpy as np
import pytest

from models.errors import InvalidInput
from planner.split import RequestSample


def test_a_rate_only_stretches_time():
    sample = RequestSample.poisson([1, 2, 3], [1, 1, 1], count=1000, seed=5)
    assert np.allclose(sample.arrivals_s(2.0), sample.arrivals_s(1.0) / 2)
    assert sample.arrivals_s(4.0)[-1] == pytest.approx(250, rel=0.1)


def test_the_same_seed_is_the_same_sample():
    a, b = (RequestSample.poisson([1, 2, 3], [4, 5, 6], count=50, seed=5) for _ in range(2))
    assert np.array_equal(a.gaps, b.gaps)
    assert np.array_equal(a.input_tokens, b.input_tokens)


def test_lengths_of_zero_are_refused():
    with pytest.raises(InvalidInput):
        RequestSample.poisson([0], [1])
