"""`planner.payback`: what other cuts save, and that it is not said where it was not found out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.clock import Clock
from planner.fleet.fleet import Periods
from planner.options import PlanOptions
from planner.payback import with_payback
from planner.plan.schedule import Change
from planner.sizing import SizingProblem
from planner.testing import make_candidate, make_fleet

RESHARD = Change(kind="reshard", model="chat", pool="a", before=(), after=(), cost=3.0)
START = replace(RESHARD, kind="start")


def make_problem(*, rate: float) -> SizingProblem:
    fleet = make_fleet()
    chat = replace(fleet.workloads[0], rate_per_s=rate, period_rates_per_s=(rate,))
    fleet = replace(
        fleet,
        workloads=(chat,),
        policies=replace(fleet.policies, headroom=0.0),
        periods=Periods(count=2, length_s=3600.0, placed=0, start_delay_s=600.0),
    )
    narrow = make_candidate(fleet, capacity_per_s=1.0)
    wide = make_candidate(fleet, capacity_per_s=5.0, gpus_per_group=4, tensor_parallel_size=4)
    return SizingProblem(fleet=fleet, candidates=(narrow, wide))


def test_what_a_wider_cut_saves_and_when_it_has_paid() -> None:
    # 10/s: ten narrow instances at 2 an hour, or two wide ones at 8
    clock = Clock(options=PlanOptions())
    reshard, start = with_payback(make_problem(rate=10.0), (RESHARD, START), {0: 3}, 16.0, clock)
    assert reshard.saves_per_hour == pytest.approx(4.0)
    assert reshard.payback_s == pytest.approx(3.0 / 4.0 * 3600)
    assert start == START


def test_without_an_answer_nothing_is_claimed() -> None:
    clock = Clock(options=PlanOptions())
    # the old cut cannot serve it at all: 18 GPUs give 18/s
    (needed,) = with_payback(make_problem(rate=19.0), (RESHARD,), {0: 3}, 32.0, clock)
    assert (needed.saves_per_hour, needed.payback_s) == (None, None)
    # both cuts ran before: nothing is saved, so nothing pays
    (same,) = with_payback(make_problem(rate=10.0), (RESHARD,), {0: 1, 1: 1}, 16.0, clock)
    assert (same.saves_per_hour, same.payback_s) == (0.0, None)
