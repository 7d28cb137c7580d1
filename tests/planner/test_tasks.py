"""Plans as tasks."""

import pytest

from models.errors import SolverFailed
from planner.clock import Clock
from planner.executors import Outcome
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.tasks import PlanTask, plan_all
from planner.testing import make_fleet

OPTIONS = PlanOptions(verify=False)


def test_plans_are_those_made_here_and_cancelled_ones_are_none(executor):
    fleet = make_fleet("node")
    expected = plan_fleet(fleet, Clock(options=OPTIONS)).plan
    tasks = [
        PlanTask(fleet=fleet, options=OPTIONS),
        PlanTask(fleet=fleet, options=OPTIONS, current=expected),
    ]
    first, second = plan_all(tasks, executor)
    assert first.to_json() == expected.to_json()
    assert second.transition is not None
    assert plan_all(tasks, executor, cancelled=lambda: True) == [None, None]


def test_what_a_task_without_a_plan_raises():
    class Broken:
        slots = 1

        def map(self, function, inputs, **settings):
            assert settings["limits"].time_s == pytest.approx(125.0)
            return [Outcome(state="lost", message="its worker was lost 3 times") for _ in inputs]

    task = PlanTask(fleet=make_fleet(), options=PlanOptions(time_limit_s=5.0))
    with pytest.raises(SolverFailed, match="lost 3 times"):
        plan_all([task], Broken())
