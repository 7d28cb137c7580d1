"""`planner.incumbent`: what runs is a plan of its own, valued from its real places."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.incumbent import is_better, layout_values, standing_layout
from planner.plan import Stage
from planner.sizing import SizingProblem
from planner.testing import make_candidate, make_fleet, make_instance

NODE = [f"a/r{n}/n{n}" for n in range(3)]


def test_what_cannot_go_on_is_left_out() -> None:
    fleet = make_fleet()
    candidates = [make_candidate(fleet)]
    current = [
        make_instance("chat-mixed-0", (Stage(NODE[0], (0,)),)),
        make_instance("chat-mixed-1", (Stage("a/r3/n3", (0,)),)),  # the node is gone
        make_instance("chat-mixed-2", (Stage(NODE[0], (1, 2)),)),  # no candidate of this shape
    ]
    layout = standing_layout(fleet, candidates, current)
    assert layout is not None
    assert [tenant.name for tenant in layout.tenants] == ["chat-mixed-0"]


def test_instances_on_one_gpu_are_no_plan() -> None:
    fleet = make_fleet()
    current = [make_instance(f"chat-mixed-{n}", (Stage(NODE[0], (0,)),)) for n in range(2)]
    assert standing_layout(fleet, [make_candidate(fleet)], current) is None


def test_service_is_counted_from_the_real_places() -> None:
    fleet = make_fleet("node")
    candidates = (make_candidate(fleet, capacity_per_s=5.5),)
    problem = SizingProblem(fleet=fleet, candidates=candidates, current={candidates[0].shape: 2})
    for nodes, unserved in (((0, 1), 0.5), ((0, 0), 1.0)):
        current = [
            make_instance(f"chat-mixed-{n}", (Stage(NODE[node], (n,)),)) for n, node in enumerate(nodes)
        ]
        layout = standing_layout(fleet, candidates, current)
        assert layout is not None
        values = layout_values(problem, layout, current)
        assert values["unserved_demand, priority 1"] == pytest.approx(unserved)  # of 11 requests per second
        assert values["unserved_demand, priority 2"] == 1.0
        assert (values["cost"], values["gpus"], values["movement"]) == (4.0, 2.0, 0.0)


def test_stops_starts_and_moves_count_once_each() -> None:
    fleet = make_fleet()
    candidates = (make_candidate(fleet),)
    problem = SizingProblem(fleet=fleet, candidates=candidates)
    current = [make_instance(f"chat-mixed-{n}", (Stage(NODE[n], (0,)),)) for n in range(3)]
    layout = standing_layout(fleet, candidates, current)
    assert layout is not None
    moved = replace(layout, stages={**layout.stages, "chat-mixed-0": (Stage(NODE[0], (5,)),)})
    fewer = replace(moved, tenants=moved.tenants[:2])
    assert layout_values(problem, fewer, current)["movement"] == 2.0


def test_the_first_tier_that_differs_decides() -> None:
    assert is_better({"unserved": 0.0, "cost": 9.0}, {"unserved": 0.1, "cost": 1.0})
    assert is_better({"unserved": 1e-9, "cost": 1.0}, {"unserved": 0.0, "cost": 2.0})
    assert not is_better({"unserved": 0.0, "cost": 1.0}, {"unserved": 0.0, "cost": 1.0})
