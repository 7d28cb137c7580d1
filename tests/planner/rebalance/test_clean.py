"""What must not be planned on is left out, and said."""

from __future__ import annotations

import numpy as np

from planner.rebalance.clean import clean
from planner.rebalance.series import Measured, Series

RULES = {"warm_up_s": 120.0, "stale_s": 180.0, "fewest": 3}


def series(*values: float, begin: float = 0.0) -> Series:
    return Series(begin + 60.0 * np.arange(len(values)), np.array(values))


def test_good_samples_stay() -> None:
    found = clean(Measured(rate_per_s=series(1, 2, 3, 4)), now_s=200, **RULES)
    assert found.rate_per_s.values.tolist() == [1, 2, 3, 4]
    assert (found.discarded, found.stale) == ((), "")


def test_each_kind_of_bad_sample_is_left_out_and_said() -> None:
    rate = series(1, np.nan, -3, np.inf, 5, 6, 7, 8, 9, 10)
    instances = series(2, 2, 2, 2, 4, 4, 3, 3, 3, 3)
    found = clean(Measured(rate_per_s=rate, instances=instances), now_s=500, **RULES)
    assert found.rate_per_s.values.tolist() == [
        1,
        7,
        8,
        9,
    ]  # 5 and 6 are of cold engines, 10 is of the future
    assert found.discarded == (
        "1 of 10 samples without a value",
        "2 of 10 samples negative or infinite",
        "1 of 10 samples from the future: check the clocks",
        "2 of 10 samples within 120 s after instances started",
    )


def test_old_and_few_samples_stop_the_job() -> None:
    assert (
        "is 261 s old, more than 180 s"
        in clean(Measured(rate_per_s=series(1, 2, 3, 4)), now_s=441, **RULES).stale
    )
    assert (
        "only 2 good samples, 3 are needed"
        in clean(Measured(rate_per_s=series(1, 2)), now_s=70, **RULES).stale
    )
    assert clean(Measured(rate_per_s=series()), now_s=0, **RULES).stale
