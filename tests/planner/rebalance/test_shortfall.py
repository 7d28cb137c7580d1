"""What missed targets say of a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.plan.outcome import WorkloadOutcome
from planner.rebalance.rules import Rules
from planner.rebalance.series import Measured, Series
from planner.rebalance.shortfall import LESS, Term, has_misses, shortfall

RULES = Rules(fewest_samples=3, season_s=1e5, most_shortfall=2.0)
OUTCOME = WorkloadOutcome(
    name="chat", demand_per_s=30, capacity_per_s=40, surviving_capacity_per_s=30, unserved_per_s=0,
    ttft_percentile=95, ttft_target_ms=1000, ttft_ms=900, tpot_percentile=95, tpot_target_ms=40, tpot_ms=38,
)  # fmt: skip
TERM = Term(begin_s=0, end_s=1e6, outcome=OUTCOME, instances=4)


def measured(rates: Any, ttft: Any = None, tpot: Any = None, instances: Any = None) -> Measured:
    times = 300.0 * np.arange(1, len(rates) + 1)
    series = {
        name: None if values is None else Series(times, np.broadcast_to(np.array(values, float), times.shape))
        for name, values in (("ttft_ms", ttft), ("tpot_ms", tpot), ("instances", instances))
    }
    return Measured(rate_per_s=Series(times, np.array(rates, float)), **series)


def test_a_plan_is_worth_the_load_at_which_it_missed() -> None:
    found = shortfall(measured([10, 30, 32, 34, 10], ttft=[500, 1500, 1400, 1500, 500]), [TERM], RULES)
    assert found.factor == pytest.approx(LESS * 40 / 32)
    assert found.reason.startswith("chat: TTFT was 1500 ms, the target 1000 ms, at 32/s for 3 samples")
    assert not found.hopeless


@pytest.mark.parametrize(
    ("what", "rates", "more"),
    [
        ("two in a row", [30, 30, 30, 30, 30], {"ttft": [2000, 2000, 500, 2000, 2000]}),
        ("within the tolerance", [30] * 4, {"ttft": 1099}),
        ("more than it promised", [41] * 4, {"ttft": 5000}),
        ("an instance is missing", [30] * 4, {"ttft": 5000, "instances": 3}),
        ("not measured", [30] * 4, {"ttft": float("nan"), "tpot": 30}),
        ("no load", [0] * 4, {"ttft": 5000}),
    ],
)
def test_no_fault_of_the_plan(what: str, rates: list[float], more: dict[str, Any]) -> None:
    assert shortfall(measured(rates, **more), [TERM], RULES).factor == 1.0, what


def test_far_below_the_capacity_more_instances_are_no_cure() -> None:
    now = shortfall(measured([30, 30, 30, 0, 5, 5, 5], tpot=50), [TERM], RULES)
    assert now.hopeless
    assert now.factor == pytest.approx(LESS * 40 / 30)  # learned before, and not forgotten
    over = shortfall(measured([5, 5, 5, 5], tpot=[50, 50, 50, 30]), [TERM], RULES)
    assert (over.factor, over.hopeless) == (1.0, False)


def test_each_plan_answers_for_its_own_time() -> None:
    """The first plan was too small; the second, larger one keeps its word, and what was learned stays."""
    first = replace(TERM, end_s=1200.0)
    second = replace(TERM, begin_s=1500.0, outcome=replace(OUTCOME, capacity_per_s=60.0))
    series = measured([30] * 10, ttft=[1500] * 4 + [600] * 6)
    assert shortfall(series, [second, first], RULES).factor == pytest.approx(LESS * 40 / 30)
    assert shortfall(series, [second], RULES).factor == 1.0
    late = replace(RULES, season_s=600.0)
    assert not has_misses(series, 1000, 40, late)
    assert shortfall(series, [second, first], late).factor == 1.0


@given(
    rates=st.lists(st.floats(0, 100), min_size=1, max_size=30),
    latencies=st.lists(st.floats(0, 3000), min_size=30, max_size=30),
)
def test_against_a_plain_loop(rates: list[float], latencies: list[float]) -> None:
    found = shortfall(measured(rates, ttft=latencies[: len(rates)]), [TERM], RULES)
    factors, run = [1.0], []
    for rate, latency in [*zip(rates, latencies, strict=False), (0.0, 0.0)]:
        if 0 < rate <= 40 and latency > 1100:
            run.append(rate)
            continue
        if len(run) >= 3 and LESS * 40 / float(np.median(run)) <= 2:
            factors.append(LESS * 40 / float(np.median(run)))
        run = []
    assert found.factor == pytest.approx(max(factors))
