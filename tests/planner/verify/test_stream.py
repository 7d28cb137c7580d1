import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.workload import Burstiness, LengthDistribution
from planner.fleet.recorded import Part
from planner.verify.stream import Stream, dealt

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


def part(n, rate):
    times = np.sort(np.random.default_rng(n).uniform(0.0, 100.0, n))
    return Part(
        arrivals_s=times,
        input_tokens=np.arange(1, n + 1),
        output_tokens=np.arange(1, n + 1),
        rate_per_s=rate,
    )


@given(n=st.integers(1, 60), share=st.floats(0.01, 1.0), seed=st.integers(0, 99))
def test_recorded_requests_are_dealt_once_at_their_own_times(n, share, seed):
    recorded = part(n, 4.0)
    streams = dealt(recorded, 4.0 * share, 10_000, name="chat", seed=seed)
    each = max(1, round(share * n))
    assert [stream.gaps.size for stream in streams] == [each] * (n // each)
    got = np.concatenate([stream.input_tokens for stream in streams])
    assert np.unique(got).size == got.size
    for stream in streams:
        assert stream.counted == slice(None)
        times = recorded.arrivals_s[stream.input_tokens - 1]
        np.testing.assert_allclose(stream.arrivals_s(4.0 * share), times, rtol=1e-9)
        np.testing.assert_array_equal(stream.input_tokens, stream.output_tokens)


def test_more_than_all_is_all_of_it_faster_and_enough_is_enough():
    recorded = part(40, 4.0)
    (stream,) = dealt(recorded, 8.0, 10_000, name="chat", seed=0)
    np.testing.assert_allclose(stream.arrivals_s(8.0), recorded.arrivals_s / 2)
    assert len(dealt(recorded, 1.0, 15, name="chat", seed=0)) == 2  # of 10 requests each


def test_bursts_are_a_gamma_law_and_a_part_of_the_stream_has_less_of_them():
    bursts = Burstiness(shape=0.25, rate_per_s=10.0)
    drawn = Stream.draw(LENGTHS, 40_000, name="chat", seed=0, burstiness=bursts)
    for rate, squared in ((10.0, 4.0), (20.0, 4.0), (5.0, 2.5), (1.0, 1.3)):
        gaps = drawn.at(rate).gaps
        assert abs(gaps.mean() - 1.0) < 0.03
        assert abs(gaps.var() / gaps.mean() ** 2 / squared - 1.0) < 0.08
    plain = Stream.draw(LENGTHS, 50, name="chat", seed=0)
    assert plain.at(3.0) is plain
