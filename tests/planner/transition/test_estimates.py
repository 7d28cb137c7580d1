import dataclasses

import pytest

from models.errors import InvalidInput
from planner.plan import Stage
from planner.transition import KvTransfer, LoadTier, StepTimes


def test_loading_is_bytes_over_the_bandwidth_of_the_fastest_tier(make, times):
    one = make("x", "n0", [0])
    assert times.load_s(one) == pytest.approx(2.0)
    assert times.load_s(one, queued_bytes=8e9) == pytest.approx(3.0)


@pytest.mark.parametrize(("size", "bandwidth", "seconds"), [(13.4e9, 12e9, 1.1), (130e9, 5e9, 26.0)])
def test_the_figures_of_serverless_llm(make, size, bandwidth, seconds):
    times = StepTimes(weight_bytes=lambda _: size, tiers=lambda _: (LoadTier("nvme", bandwidth),))
    assert times.load_s(make("x", "n0", [0])) == pytest.approx(seconds, rel=0.02)


def test_stages_on_several_nodes_load_side_by_side(make, times):
    two = dataclasses.replace(
        make("x", "n0", [0]), pipeline_parallel_size=2, stages=(Stage("n0", (0,)), Stage("n1", (0,)))
    )
    assert times.load_s(two) == pytest.approx(1.0)


def test_draining_waits_for_the_longest_answer(make, times):
    assert times.drain_s(make("x", "n0", [0])) == pytest.approx(0.1 + 20.0)


def test_the_downtime_of_a_migration_does_not_depend_on_the_cache(make):
    moves = [KvTransfer(bandwidth_bytes_per_s=8e9, cache_bytes=lambda _, b=b: b) for b in (8e9, 80e9)]
    assert [m.seconds(make("x", "n0", [0])) for m in moves] == pytest.approx([1.03, 10.03])


def test_weights_that_are_nowhere_cannot_be_loaded(make, times):
    with pytest.raises(InvalidInput, match="no tier holds the weights of x"):
        dataclasses.replace(times, tiers=lambda _: ()).load_s(make("x", "n0", [0]))
