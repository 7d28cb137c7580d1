import json

import pytest

from planner.clock import Clock
from planner.options import PlanOptions
from planner.scenarios.change import parse_changes
from planner.scenarios.what_if import compare
from planner.testing import make_fleet


def clocks():
    return tuple(Clock(options=PlanOptions(verify=False)) for _ in range(2))


def test_more_demand_costs_more_and_says_what_moves():
    found = compare(make_fleet(), parse_changes(demand=["all=x20"]), clocks())
    assert found.after.cost_per_hour > found.before.cost_per_hour
    values = found.as_dict()
    assert values["changes"] == ["demand of all x20"]
    assert values["after"]["workloads"]["chat"]["demand_per_s"] == pytest.approx(220.0)
    assert values["moves"]["start"] >= 1
    assert values["transition_s"] > 0
    assert sum(values["after"]["workloads"]["chat"]["instances"].values()) == sum(
        i.workload == "chat" for i in found.after.instances
    )
    json.dumps(values, allow_nan=False)


def test_what_cannot_be_planned_says_why():
    found = compare(make_fleet(), parse_changes(demand=["all=x100000"]), clocks())
    assert found.after.state == "infeasible"
    values = found.as_dict()
    assert values["after"]["cost_per_hour"] is None
    assert "supply is too small" in values["after"]["infeasible"]
    assert values["transition_s"] is None
