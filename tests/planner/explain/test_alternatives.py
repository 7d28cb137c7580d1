import dataclasses

import pytest
import yaml

from planner.clock import Clock
from planner.explain.alternatives import alternatives, node_worths
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import plan_fleet

DOCUMENT = {
    "fleet": "t",
    "pools": [
        {"name": "a", "gpu": "h100-sxm-80gb", "nodes": 2, "gpus_per_node": 4, "price_per_gpu_hour": 2},
        {"name": "b", "gpu": "l40s-48gb", "nodes": 1, "gpus_per_node": 8, "price_per_gpu_hour": 0.7},
    ],
    "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
    "workloads": [
        {
            "model": "m",
            "rate": "60/s",
            "lengths": {"levels": [0, 1], "input_tokens": [200, 900], "output_tokens": [50, 200]},
            "slo": {"ttft_p95": "500ms", "tpot_p95": "25ms"},
        }
    ],
    "policies": {"parallelism": {"tensor": [1, 2], "pipeline": [1]}},
}
CLOCK = Clock(options=PlanOptions(verify=False))


@pytest.fixture(scope="module")
def planned():
    return plan_fleet(read_fleet(yaml.safe_dump(DOCUMENT)), CLOCK)


def test_every_other_way_costs_at_least_as_much_and_is_what_it_says(planned):
    found = list(alternatives(planned, CLOCK))
    assert found[0].question == "shape"
    roles = {i.role for i in planned.plan.instances}
    assert {a.question for a in found[1:]} == (
        ({"mixed"} if roles != {"mixed"} else set()) | ({"disaggregated"} if "mixed" in roles else set())
    )
    chosen = {(i.role, i.tensor_parallel_size, i.pool) for i in planned.plan.instances}
    for other in found:
        assert other.cost_per_hour >= planned.plan.cost_per_hour - 1e-6
        assert other.extra_per_hour == pytest.approx(other.cost_per_hour - planned.plan.cost_per_hour)
        assert other.shapes
        for shape in other.shapes:
            if other.question == "mixed":
                assert " mixed " in shape
            if other.question == "shape":
                assert not any(f"{role} TP{tp} on {pool}" in shape for role, tp, pool in chosen)
        assert "more" in other.sentence


def test_a_node_is_worth_what_the_larger_fleet_saves(planned):
    worths = dict(node_worths(planned, CLOCK))
    assert set(worths) == {"a", "b"}
    grown = DOCUMENT | {"pools": [DOCUMENT["pools"][0], DOCUMENT["pools"][1] | {"nodes": 2}]}
    saved = (
        planned.plan.cost_per_hour - plan_fleet(read_fleet(yaml.safe_dump(grown)), CLOCK).plan.cost_per_hour
    )
    assert worths["b"].startswith("changes no goal") == (saved < 1e-6)


def test_nothing_is_asked_when_the_time_is_up(planned):
    over = Clock(options=PlanOptions(time_limit_s=1e-6), started=0.0)
    assert list(alternatives(planned, over)) == []
    assert list(node_worths(planned, over)) == []


def test_ways_that_the_policy_leaves_out_are_not_asked_about(planned):
    policies = dataclasses.replace(planned.fleet.policies, roles=("mixed",))
    only = dataclasses.replace(planned, fleet=dataclasses.replace(planned.fleet, policies=policies))
    assert {other.question for other in alternatives(only, CLOCK)} <= {"shape", "mixed"}
