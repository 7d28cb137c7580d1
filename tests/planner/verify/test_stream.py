import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.workload import LengthDistribution
from planner.verify.stream import Stream

LENGTHS = LengthDistribution.fixed(100, 20)


@given(seed=st.integers(0, 2**31 - 1), rate=st.floats(0.01, 1e4))
def test_the_same_requests_at_every_rate(seed, rate):
    stream = Stream.draw(LENGTHS, 50, name="chat", seed=seed)
    again = Stream.draw(LENGTHS, 50, name="chat", seed=seed)
    np.testing.assert_array_equal(stream.gaps, again.gaps)
    np.testing.assert_allclose(stream.arrivals_s(rate) * rate, stream.arrivals_s(1.0))
    assert (np.diff(stream.arrivals_s(rate)) >= 0).all()


def test_two_workloads_of_one_seed_have_streams_of_their_own():
    one, other = (Stream.draw(LENGTHS, 50, name=name, seed=0) for name in ("chat", "code"))
    assert (one.gaps != other.gaps).any()


def test_the_rate_is_the_mean_and_the_ends_do_not_count():
    stream = Stream.draw(LENGTHS, 20_000, name="chat", seed=1)
    assert abs(20_000 / stream.arrivals_s(5.0)[-1] - 5.0) < 0.15
    assert (stream.counted.start, stream.counted.stop) == (4_000, 18_000)
