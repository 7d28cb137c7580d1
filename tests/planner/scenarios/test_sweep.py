"""Sweeps of changes, each by itself."""

import pytest

from models.errors import UnknownName
from planner.clock import Clock
from planner.options import PlanOptions
from planner.scenarios.change import parse_changes
from planner.scenarios.sweep import sweep
from planner.scenarios.what_if import compare
from planner.testing import make_fleet

OPTIONS = PlanOptions(verify=False)


def test_each_change_is_what_it_is_alone(executor):
    fleet = make_fleet()
    changes = parse_changes(demand=["all=x20", "all=x100000"], price=["b=1"])
    found = sweep(fleet, changes, OPTIONS, executor)
    assert [s.words for s in found.scenarios] == [
        "demand of all x20", "demand of all x100000", "price of b 1",
    ]  # fmt: skip
    for change, beside in zip(changes, found.comparisons(), strict=True):
        alone = compare(fleet, [change], (Clock(options=OPTIONS), Clock(options=OPTIONS)))
        assert beside.before.to_json() == alone.before.to_json()
        assert beside.after.to_json() == alone.after.to_json()
    states = [s.plan.state for s in found.scenarios]
    assert states[1] == "infeasible"
    assert {states[0], states[2]} <= {"optimal", "feasible"}
    assert [one["changes"] for one in found.as_dict()] == [[s.words] for s in found.scenarios]


def test_a_wrong_name_is_told_before_anything_is_planned(executor):
    events = []
    with pytest.raises(UnknownName, match="pool 'c'"):
        sweep(make_fleet(), parse_changes(remove_pool=["c"]), OPTIONS, executor, progress=events.append)
    assert not events


def test_cancelled_before_the_first_plan(executor):
    found = sweep(make_fleet(), parse_changes(demand=["all=x2"]), OPTIONS, executor, cancelled=lambda: True)
    assert found.before is None
    assert found.scenarios == ()
    assert found.as_dict() == []


def test_progress_counts_plans(executor):
    heard = []
    sweep(
        make_fleet(), parse_changes(demand=["all=x2", "all=x3"]), OPTIONS, executor,
        progress=lambda progress: heard.append(progress.phase),
    )  # fmt: skip
    assert "0 of 1 plans: sizing" in heard
    assert heard[-1] == "2 of 2 plans"
