import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.serving import Targets
from models.serving.calibration import Spread
from planner.candidates.enumerate import enumerate_candidates
from planner.candidates.margins import tightened, upper_factor
from planner.fleet import read_fleet
from planner.testing import SMALL_FLEET

TARGETS = Targets(ttft_ms=1000, tpot_ms=40)


@given(low=st.floats(0.3, 1.0), high=st.floats(1.0, 3.0), confidence=st.floats(0.5, 0.99))
def test_the_factor_is_the_quantile_and_grows_with_confidence(low, high, confidence):
    spread = Spread(low, high)
    assert upper_factor(spread, 0.9) == pytest.approx(high)
    assert 1.0 <= upper_factor(spread, confidence) <= upper_factor(spread, min(confidence + 0.005, 0.995))


def test_without_a_wish_the_targets_stay():
    assert tightened(TARGETS, engine="vllm", generation="hopper", confidence=None) is TARGETS
    tight = tightened(TARGETS, engine="vllm", generation="hopper", confidence=0.9)
    assert tight.ttft_ms < 1000
    assert tight.tpot_ms < 40


def test_more_confidence_is_less_capacity():
    fleet = read_fleet(SMALL_FLEET.replace("40ms", "8ms"))
    plain, sure = (enumerate_candidates(fleet, confidence=c).accepted for c in (None, 0.95))
    rates = {c.shape: c.capacity_per_s for c in plain}
    assert sure
    assert all(c.capacity_per_s <= rates[c.shape] * (1 + 1e-9) for c in sure)
    assert any(c.capacity_per_s < rates[c.shape] * 0.999 for c in sure)
