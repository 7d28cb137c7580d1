"""`planner.plan.check`: a plan that breaks a limit is caught, whatever made it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.errors import SolverFailed
from planner.assemble import make_outcomes, make_pool_uses
from planner.plan import Instance, Plan, Stage
from planner.plan.check import check_plan, violations
from planner.testing import make_fleet, make_instance

FLEET = make_fleet()
GOOD = (
    make_instance("chat-mixed-0", (Stage("a/r0/n0", (0, 1)),)),
    make_instance("code-mixed-0", (Stage("a/r1/n1", (0,)),), workload="code", model="code"),
)


def plan_with(*instances: Instance) -> Plan:
    return Plan(
        fulcrum_version="1", fleet="test", fleet_digest="", seed=0, state="optimal", cost_per_hour=0.0,
        instances=instances, workloads=make_outcomes(FLEET, instances),
        pools=make_pool_uses(FLEET, instances), objectives=(), moves=(), basis=(),
    )  # fmt: skip


def test_a_sound_plan_passes() -> None:
    check_plan(FLEET, plan_with(*GOOD))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stages": (Stage("a/r1/n1", (0, 1)),)}, "is given to"),
        ({"stages": (Stage("a/r0/n0", (0, 0)),)}, "1 GPUs in a group of 2"),
        ({"stages": (Stage("a/r0/n0", (0,)),)}, "1 GPUs in a group of 2"),
        ({"stages": (Stage("a/r0/n0", (5, 6)),)}, "outside 0..5"),
        ({"stages": (Stage("a/r0/n9", (0, 1)),)}, "no node 'a/r0/n9'"),
        ({"stages": (Stage("a/r0/n0", (0, 1)), Stage("a/r0/n0", (2, 3)))}, "2 stages for PP 1"),
        ({"data_parallel_size": 2}, "2 GPUs in a group of 4"),
        ({"expert_parallel_size": 4}, "experts in 4 groups on 2 GPUs"),
        (
            {
                "data_parallel_size": 2,
                "tensor_parallel_size": 1,
                "pipeline_parallel_size": 2,
                "stages": (Stage("a/r0/n0", (0, 1)), Stage("a/r1/n1", (2, 3))),
            },
            "its attention replicas are on several nodes",
        ),
        ({"name": "code-mixed-0"}, "two instances have one name"),
        ({"expected": replace(GOOD[0].expected, rate_per_s=21.0)}, "sent to a capacity"),
        ({"expected": replace(GOOD[0].expected, ttft_ms=1001.0)}, "TTFT of 1001.0 ms misses"),
        ({"expected": replace(GOOD[0].expected, tpot_ms=41.0)}, "TPOT of 41.0 ms misses"),
        ({"expected": replace(GOOD[0].expected, capacity_per_s=5.0)}, "5.0 of 11.0/s are left"),
    ],
)
def test_every_broken_limit_is_found(changes: dict[str, object], words: str) -> None:
    broken = plan_with(replace(GOOD[0], **changes), GOOD[1])  # type: ignore[arg-type]
    assert any(words in sentence for sentence in violations(FLEET, broken))
    with pytest.raises(SolverFailed, match="breaks a limit"):
        check_plan(FLEET, broken)


def test_wrong_use_of_a_pool_is_found() -> None:
    plan = plan_with(*GOOD)
    wrong = replace(plan, pools=(replace(plan.pools[0], gpus_used=2), plan.pools[1]))
    assert any("3 GPUs given out, 2 reported" in sentence for sentence in violations(FLEET, wrong))


def test_a_node_out_of_service_is_caught() -> None:
    fleet = replace(FLEET, pools=(replace(FLEET.pools[0], unavailable=(1,)), FLEET.pools[1]))
    assert [said for said in violations(fleet, plan_with(*GOOD)) if "out of service" in said]
