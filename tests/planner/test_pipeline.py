"""`planner.pipeline`: whole plans of random small fleets keep every promise; equal input, equal bytes."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from planner.fleet import Fleet, read_fleet
from planner.pipeline import create_plan
from planner.plan import Plan

EXAMPLE = Path(__file__).parents[2] / "examples" / "fleet.yaml"


def document(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "fleet": "t",
        "pools": [
            {
                "name": "a",
                "gpu": "h100-sxm-80gb",
                "nodes": 3,
                "gpus_per_node": 4,
                "racks": 3,
                "price_per_gpu_hour": 2,
            }
        ],
        "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
        "workloads": [
            {
                "model": "m",
                "rate": "20/s",
                "lengths": {"levels": [0, 1], "input_tokens": [200, 900], "output_tokens": [50, 200]},
                "slo": {"ttft_p95": "500ms", "tpot_p95": "30ms"},
            }
        ],
        "policies": {"parallelism": {"tensor": [1, 2, 4], "pipeline": [1, 2]}},
    }
    return base | changes


def plan_of(values: dict[str, Any], **options: Any) -> Plan:
    return create_plan(yaml.safe_dump(values), **options)


def assert_sound(fleet: Fleet, plan: Plan) -> None:
    """What any plan must hold, read from the document and the plan only."""
    assert len({i.name for i in plan.instances}) == len(plan.instances)
    used = Counter((s.node, g) for i in plan.instances for s in i.stages for g in s.gpus)
    assert all(count == 1 for count in used.values()), "a GPU is given out twice"
    per_node = Counter(node for node, _ in used)
    for pool in fleet.pools:
        nodes = {pool.node_name(n) for n in range(pool.nodes)}
        mine = [i for i in plan.instances if i.pool == pool.name]
        assert {s.node for i in mine for s in i.stages} <= nodes
        assert all(per_node[node] <= pool.gpus_per_node for node in nodes)
        assert sum(i.gpu_count for i in mine) <= pool.gpus
    for i in plan.instances:
        assert len(i.stages) == i.pipeline_parallel_size
        for stage in i.stages:  # one node a stage, by type; all of its GPUs
            assert len(stage.gpus) == i.tensor_parallel_size
            assert 0 <= min(stage.gpus) <= max(stage.gpus) < fleet.pool(i.pool).gpus_per_node
    if plan.state == "optimal" and fleet.policies.shortage == "refuse":
        for workload in fleet.workloads:
            demand = workload.rate_per_s * (1 + fleet.policies.headroom)
            for lost in losses(fleet, plan):
                assert served(fleet, plan, workload.name, lost) >= demand * (1 - 1e-5)


def losses(fleet: Fleet, plan: Plan) -> list[set[str]]:
    """Sets of nodes that may go down together."""
    nodes = {stage.node for i in plan.instances for stage in i.stages}
    if fleet.policies.loss_of is None:
        return [set()]
    if fleet.policies.loss_of == "node":
        return [{node} for node in nodes]
    racks = defaultdict(set)
    for node in nodes:
        racks[node.rsplit("/", 1)[0]].add(node)
    return list(racks.values())


def served(fleet: Fleet, plan: Plan, workload: str, lost: set[str]) -> float:
    rate: dict[tuple[str, str], float] = defaultdict(float)
    for i in plan.instances:
        if i.workload == workload and not any(stage.node in lost for stage in i.stages):
            rate[i.role, fleet.pool(i.pool).zone] += i.expected.capacity_per_s
    pairs = {zone for _, zone in rate}
    return sum(rate["mixed", z] + min(rate["prefill", z], rate["decode", z]) for z in pairs)


POOLS = st.builds(
    lambda gpu, nodes, size, racks, zone: {
        "gpu": gpu, "nodes": nodes, "gpus_per_node": size, "racks": min(racks, nodes), "zone": zone,
        "price_per_gpu_hour": 2,
    },
    st.sampled_from(["h100-sxm-80gb", "l40s-48gb", "a100-sxm-80gb"]),
    st.integers(1, 5), st.sampled_from([1, 2, 4, 6, 8]), st.integers(1, 3), st.sampled_from(["x", "y"]),
)  # fmt: skip


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking whole plans takes minutes
)
@given(
    pools=st.lists(POOLS, min_size=1, max_size=2),
    rates=st.lists(st.sampled_from([0.5, 7, 30, 120]), min_size=1, max_size=2),
    loss_of=st.sampled_from([None, "node", "rack"]),
    roles=st.sampled_from([["mixed"], ["disaggregated"], ["mixed", "disaggregated"]]),
    shortage=st.sampled_from(["refuse", "serve_what_fits"]),
)
def test_plans_of_random_fleets_are_sound(
    pools: list[dict[str, Any]], rates: list[float], loss_of: str | None, roles: list[str], shortage: str
) -> None:
    base = document()
    values = document(
        pools=[{"name": f"p{n}", **pool} for n, pool in enumerate(pools)],
        workloads=[
            base["workloads"][0] | {"name": f"w{n}", "rate": f"{rate}/s", "priority": n + 1}
            for n, rate in enumerate(rates)
        ],
        policies=base["policies"] | {"roles": roles, "shortage": shortage}
        | ({"survive": {"loss_of": loss_of}} if loss_of else {}),
    )  # fmt: skip
    plan = plan_of(values)
    assert_sound(read_fleet(yaml.safe_dump(values)), plan)
    assert Plan.from_json(plan.to_json()).to_json() == plan.to_json()
    if plan.state == "infeasible":
        assert plan.diagnosis is not None
        assert not plan.instances
    else:
        assert plan.state in ("optimal", "feasible")
        assert shortage == "serve_what_fits" or all(w.unserved_per_s == 0 for w in plan.workloads)


def test_equal_input_gives_equal_bytes() -> None:
    text = EXAMPLE.read_text()
    plans = [create_plan(text, base_dir=EXAMPLE.parent).to_json() for _ in range(2)]
    assert plans[0] == plans[1]


def test_example_plan_is_sound_and_proven() -> None:
    text = EXAMPLE.read_text()
    plan = create_plan(text, base_dir=EXAMPLE.parent)
    assert_sound(read_fleet(text, base_dir=EXAMPLE.parent), plan)
    assert plan.state == "optimal"
    assert all(o.gap is not None and o.gap <= 1e-4 for o in plan.objectives)


def test_the_cost_is_the_least_by_enumeration() -> None:
    from planner.candidates.enumerate import enumerate_candidates

    values = document(policies={"parallelism": {"tensor": [1, 2], "pipeline": [1]}, "roles": ["mixed"]})
    values["workloads"][0]["rate"] = "90/s"
    plan = plan_of(values)
    options = enumerate_candidates(read_fleet(yaml.safe_dump(values))).accepted
    cheapest = min(
        sum(n * c.price_per_hour for n, c in zip(counts, options, strict=True))
        for counts in itertools.product(range(13), repeat=len(options))
        if sum(n * c.gpus for n, c in zip(counts, options, strict=True)) <= 12
        and sum(n * c.capacity_per_s for n, c in zip(counts, options, strict=True)) >= 90
    )
    assert plan.cost_per_hour == pytest.approx(cheapest)


def test_planning_again_from_the_plan_moves_nothing() -> None:
    values = document(policies=document()["policies"] | {"survive": {"loss_of": "node"}})
    first = plan_of(values)
    again = plan_of(values, current=first)
    assert again.moves == ()
    assert again.instances == first.instances


def test_more_load_keeps_what_runs_where_it_runs() -> None:
    values = document()
    first = plan_of(values)
    values["workloads"][0]["rate"] = "60/s"
    more = plan_of(values, current=first)
    before = {i.name: (i.shape, i.stages) for i in first.instances}
    after = {i.name: (i.shape, i.stages) for i in more.instances}
    kept = [name for name in before if after.get(name) == before[name]]
    assert len(more.moves) == len(before.keys() - set(kept)) + len(after.keys() - set(kept))
    assert kept


def test_a_lost_node_is_replaced_and_the_rest_stays() -> None:
    values = document()
    values["workloads"][0]["rate"] = "150/s"
    first = plan_of(values)
    nodes = {stage.node for i in first.instances for stage in i.stages}
    assert len(nodes) == 3
    values["pools"][0] |= {"nodes": 2, "racks": 2}  # node names change their rack with it: a different layout
    second = plan_of(values, current=first)
    assert second.state == "optimal"
    assert_sound(read_fleet(yaml.safe_dump(values)), second)


def test_cancelled_before_the_start() -> None:
    plan = plan_of(document(), cancelled=lambda: True)
    assert plan.state == "cancelled"
    assert plan.instances == ()


def test_progress_names_the_phases_in_order() -> None:
    phases: list[str] = []
    plan_of(document(), progress=lambda report: phases.append(report.phase))
    assert [phase for phase, _ in itertools.groupby(phases)] == [
        "candidates",
        "sizing",
        "placement",
        "assembling",
        "verifying",
    ]


def test_serve_what_fits_serves_the_first_priority_first() -> None:
    base = document()["workloads"][0]
    values = document(
        workloads=[
            base | {"name": "late", "rate": "900/s", "priority": 2},
            base | {"name": "first", "rate": "900/s", "priority": 1},
        ],
        policies={"shortage": "serve_what_fits"},
    )
    plan = plan_of(values)
    assert plan.state == "optimal"
    served_share = {w.name: w.surviving_capacity_per_s / w.demand_per_s for w in plan.workloads}
    unserved = {w.name: w.unserved_per_s for w in plan.workloads}
    assert served_share["first"] > served_share["late"]
    assert unserved["late"] > 0
