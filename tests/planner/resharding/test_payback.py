import math

import pytest

from models.errors import InvalidInput
from planner.resharding import payback


def test_widening_pays_for_itself_after_the_lost_work():
    # four single-GPU instances at 1,501 tokens/s against one of four GPUs at 5,647, two minutes of loading
    found = payback(
        rate_now_per_s=1501, rate_after_per_s=5647, demand_per_s=math.inf, downtime_s=120, horizon_s=3600
    )
    assert found.lost_work == pytest.approx(1501 * 120)
    assert found.payback_s == pytest.approx(1501 * 120 / 4146)
    assert found.pays


def test_speed_that_nobody_asks_for_gains_nothing():
    found = payback(rate_now_per_s=10, rate_after_per_s=20, demand_per_s=8, downtime_s=60, horizon_s=1e9)
    assert found.gained_per_s == 0
    assert found.payback_s is None
    assert not found.pays


def test_the_horizon_counts_the_downtime():
    kwargs = {"rate_now_per_s": 10, "rate_after_per_s": 20, "demand_per_s": 20, "downtime_s": 60}
    assert payback(**kwargs, horizon_s=120).pays
    assert not payback(**kwargs, horizon_s=119).pays


def test_slower_never_pays():
    assert not payback(
        rate_now_per_s=10, rate_after_per_s=5, demand_per_s=9, downtime_s=0, horizon_s=1e9
    ).pays


def test_nan_is_refused():
    with pytest.raises(InvalidInput, match="at least 0"):
        payback(rate_now_per_s=math.nan, rate_after_per_s=1, demand_per_s=1, downtime_s=0, horizon_s=1)
