import dataclasses

import pytest
import yaml

from planner.clock import Clock
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.plan import Plan
from planner.transition import replay
from planner.transition.between_plans import standing, transition_between

DOCUMENT = {
    "fleet": "t",
    "pools": [{"name": "a", "gpu": "h100-sxm-80gb", "nodes": 3, "gpus_per_node": 4, "price_per_gpu_hour": 2}],
    "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
    "workloads": [
        {
            "model": "m",
            "rate": "100/s",
            "lengths": {"levels": [0, 1], "input_tokens": [200, 900], "output_tokens": [50, 200]},
            "slo": {"ttft_p95": "500ms", "tpot_p95": "20ms"},
        }
    ],
    "policies": {"parallelism": {"tensor": [1, 2], "pipeline": [1]}, "roles": ["mixed"]},
}


def fleet_of(*, rate="100/s", weights="bf16", sources=(), transition=None):
    values = DOCUMENT | {
        "pools": [DOCUMENT["pools"][0] | {"weights_from": list(sources)}],
        "policies": DOCUMENT["policies"] | {"transition": transition or {}},
        "models": [DOCUMENT["models"][0] | {"weights": weights}],
        "workloads": [DOCUMENT["workloads"][0] | {"rate": rate}],
    }
    return read_fleet(yaml.safe_dump(values))


def make(current=None, **changes):
    clock = Clock(options=PlanOptions(verify=False))
    return plan_fleet(fleet_of(**changes), clock, current=current).plan


@pytest.fixture(scope="module")
def first():
    return make()


def test_without_a_current_plan_there_is_no_transition(first):
    assert first.transition is None


def test_the_same_again_changes_nothing(first):
    second = make(first)
    assert second.transition.steps == ()
    assert second.transition.blocked is None


def test_another_precision_goes_over_spare_gpus_and_keeps_the_demand(first):
    second = make(first, weights="fp8")
    transition = second.transition
    assert replay(transition, first.instances, second.instances) == ()
    floor = transition.floors_per_s["m"]
    assert floor == pytest.approx(100.0)
    assert transition.lowest_per_s["m"] >= floor
    assert transition.duration_s > 60
    assert "5 GB/s" in transition.assumptions[-1]
    assert Plan.from_json(second.to_json()).transition.steps[0].kind == "load"
    assert second.to_json() == make(first, weights="fp8").to_json()


def test_without_spare_gpus_the_floor_is_lowered_and_that_is_said(first):
    full = dataclasses.replace(
        first,
        instances=tuple(
            dataclasses.replace(first.instances[0], name=f"x{k}", stages=(stage,))
            for k, stage in enumerate(
                dataclasses.replace(first.instances[0].stages[0], node=f"a/r0/n{n}", gpus=(g,))
                for n in range(3)
                for g in range(4)
            )
        ),
    )
    fleet = fleet_of(rate="5000/s")
    goal = dataclasses.replace(
        full, instances=tuple(dataclasses.replace(i, weights="fp8") for i in full.instances)
    )
    found = transition_between(fleet, full, goal)
    assert found.blocked is None
    assert "its floor is" in found.assumptions[0]
    assert replay(found, full.instances, goal.instances) == ()


def test_what_ran_on_a_dead_node_does_not_run(first):
    fleet = fleet_of()
    one, other = first.instances[:2]
    lost = dataclasses.replace(one, stages=(dataclasses.replace(one.stages[0], node="a/r0/n7"),))
    assert standing(fleet, (lost, other)) == (other,)


def test_stated_speeds_are_used_and_said(first):
    slow = make(first, weights="fp8")
    memory = [
        {"tier": "memory", "bandwidth": "50GB/s", "models": ["m"]},
        {"tier": "disk", "bandwidth": "1GB/s"},
    ]
    fast = make(first, weights="fp8", sources=memory, transition={"start": "5s"}).transition
    assert fast.duration_s < slow.transition.duration_s / 4
    assert "memory at 50 GB/s" in fast.assumptions[-1]
    load = next(step for step in fast.steps if (step.kind, step.side) == ("load", "new"))
    assert load.end_s - load.start_s == pytest.approx(5.0 + 9.1e9 / 50e9, abs=0.02)
    one = make(first, weights="fp8", transition={"in_flight": 1, "requests": "drain"}).transition
    assert one.duration_s > slow.transition.duration_s
    assert not any(step.kind == "migrate" for step in one.steps)
    assert "end before their instance does" in one.assumptions[-1]
