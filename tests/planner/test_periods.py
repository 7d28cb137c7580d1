"""`planner.periods`: the schedule of a plan, from document to JSON and back."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from planner.clock import Clock
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.periods import _way
from planner.pipeline import create_plan, plan_fleet
from planner.plan import Plan
from planner.sizing import SizingProblem
from planner.sizing.rounding import Service
from planner.testing import SMALL_FLEET

DOCUMENT = "periods: {count: 3, length: 8h, start_delay: 10min}\n" + SMALL_FLEET.replace(
    "    rate: 10/s\n", "    rate: 900/s\n    shape: [0.2, 1, 0.5]\n"
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return create_plan(DOCUMENT, options=PlanOptions(time_limit_s=60.0, verify=False))


def test_the_placed_period_has_the_instances_of_the_plan(plan: Plan) -> None:
    assert plan.schedule is not None
    assert [period.placed for period in plan.schedule.periods] == [False, True, False]
    busy = plan.schedule.periods[1]
    counts = Counter(
        (i.workload, i.role, i.pool, i.tensor_parallel_size, i.pipeline_parallel_size) for i in plan.instances
    )
    assert counts == {
        (c.workload, c.role, c.pool, c.tensor_parallel_size, c.pipeline_parallel_size): c.instances
        for c in busy.counts
        if c.instances
    }
    assert busy.cost_per_hour == pytest.approx(plan.cost_per_hour)
    assert busy.gpus_used == sum(use.gpus_used for use in plan.pools)


def test_quiet_periods_cost_less_and_changes_add_up(plan: Plan) -> None:
    assert plan.schedule is not None
    quiet, busy, half = plan.schedule.periods
    assert quiet.cost_per_hour < half.cost_per_hour < busy.cost_per_hour
    assert all(period.unserved_share == 0.0 for period in plan.schedule.periods)
    total: Counter[tuple[str, str, str, int, int]] = Counter()
    for period in plan.schedule.periods:
        for c in period.counts:
            total[c.workload, c.role, c.pool, c.tensor_parallel_size, c.pipeline_parallel_size] += c.change
    assert set(total.values()) == {0}  # around a day nothing is gained or lost
    assert plan.schedule.gap is not None
    assert 0 <= plan.schedule.gap < 0.05


def test_without_time_the_schedule_of_the_current_plan_is_completed(plan: Plan) -> None:
    """Half as much again is asked for; the periods are not sized anew, but each serves all of it."""
    fleet = read_fleet(DOCUMENT.replace("900/s", "1350/s"))
    over = Clock(options=PlanOptions(time_limit_s=1e-6, verify=False), started=0.0)
    again = plan_fleet(fleet, over, current=plan)
    assert plan.schedule is not None
    assert again.plan.schedule is not None
    assert again.plan.schedule.gap is None
    whole = SizingProblem(fleet=fleet, candidates=again.considered)
    for number, (now, was) in enumerate(zip(again.plan.schedule.periods, plan.schedule.periods, strict=True)):
        counts = np.zeros(len(again.considered), np.int64)
        for c in now.counts:
            (index,) = (i for i, each in enumerate(again.considered) if _way(each) == _way(c))
            counts[index] = c.instances
        problem = whole.at(number)
        for workload in fleet.workloads:
            served = Service(problem).served(workload.name, counts)
            assert served >= problem.demand_per_s(workload.name) * (1 - 1e-6)
        assert now.cost_per_hour >= was.cost_per_hour


def test_plans_with_a_schedule_are_read_back(plan: Plan) -> None:
    again = Plan.from_json(plan.to_json())
    assert again.to_json() == plan.to_json()
    assert again.schedule is not None
    assert len(again.schedule.periods) == 3
