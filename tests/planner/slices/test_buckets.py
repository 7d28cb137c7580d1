import numpy as np
import pytest

from models.errors import InvalidInput
from planner.slices import SizeBucket, bucket_requests


def test_requests_fall_into_the_bucket_whose_upper_edge_covers_them():
    found = bucket_requests(
        [10, 100, 100, 101], [5, 5, 20, 20], rate_per_s=8.0, input_edges=[100, 200], output_edges=[10, 20]
    )
    assert found == (
        SizeBucket(input_tokens=100, output_tokens=10, rate_per_s=4.0),
        SizeBucket(input_tokens=100, output_tokens=20, rate_per_s=2.0),
        SizeBucket(input_tokens=200, output_tokens=20, rate_per_s=2.0),
    )


def test_a_request_beyond_the_last_edge_is_refused_with_its_length():
    with pytest.raises(InvalidInput, match="300 input tokens, the last edge is 200"):
        bucket_requests([300], [1], rate_per_s=1.0, input_edges=[100, 200], output_edges=[10])


@pytest.mark.parametrize("edges", [[], [0, 1], [2, 2]])
def test_edges_must_ascend(edges):
    with pytest.raises(InvalidInput, match="ascend"):
        bucket_requests([1], [1], rate_per_s=1.0, input_edges=edges, output_edges=[10])


def test_the_rates_add_up():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 1000, (2, 500))
    found = bucket_requests(*lengths, rate_per_s=7.0, input_edges=[10, 200, 1000], output_edges=[500, 1000])
    assert sum(b.rate_per_s for b in found) == pytest.approx(7.0)
