import numpy as np
import pytest

from models.errors import InvalidInput
from planner.split import LatencyTargets, Served, bisect_rate


def served(ttft, tpot):
    return Served(ttft_ms=np.array(ttft), tpot_ms=np.array(tpot), end_s=np.zeros(len(ttft)))


def test_both_is_stricter_than_each():
    run = served([1, 1, 9, 1], [1, 9, 1, 1])
    assert LatencyTargets(ttft_ms=5, tpot_ms=5, together="both").share(run) == 0.5
    assert LatencyTargets(ttft_ms=5, tpot_ms=5, together="each").share(run) == 0.75


def test_the_share_that_may_miss_is_rounded_down():
    assert LatencyTargets(ttft_ms=1, tpot_ms=1, attainment=0.9).give_up(305).misses == 30
    assert LatencyTargets(ttft_ms=1, tpot_ms=1, attainment=0.9).give_up(300).misses == 30


@pytest.mark.parametrize("limit", [0.0, 0.3, 2.0, 5.0])
def test_bisection_ends_below_the_limit_within_the_resolution(limit):
    found = bisect_rate(lambda rate: rate <= limit, highest=5.0, resolution=0.01)
    assert found <= limit
    assert limit - found <= 0.01


def test_nonsense_is_refused():
    with pytest.raises(InvalidInput):
        bisect_rate(lambda rate: True, highest=0, resolution=1)
    with pytest.raises(InvalidInput):
        LatencyTargets(ttft_ms=0, tpot_ms=1)
