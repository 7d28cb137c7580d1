"""`planner.sizing.graph`: the graph's values are those of plain loops over the counts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph import evaluate
from planner.candidates import Candidate
from planner.fleet import Fleet
from planner.sizing import SizingProblem
from planner.sizing.graph import sizing_graph, tier_names
from planner.testing import make_candidate, make_fleet


def make_candidates(fleet: Fleet) -> tuple[Candidate, ...]:
    return (
        make_candidate(fleet, capacity_per_s=3.0, gpus_per_group=2),
        make_candidate(fleet, capacity_per_s=5.0, gpus_per_group=4, pool="b"),
        make_candidate(fleet, capacity_per_s=2.5, role="prefill"),
        make_candidate(fleet, capacity_per_s=4.0, role="decode", gpus_per_group=4, groups=2),
        make_candidate(fleet, workload="code", model="code", capacity_per_s=2.0, pool="b"),
        make_candidate(fleet, workload="code", model="code", capacity_per_s=1.5, gpus_per_group=4),
    )


def expected_shortage(problem: SizingProblem, counts: list[int], workload: str) -> float:
    """Share of demand that is not served in the worst case, by plain loops."""
    fleet, worst = problem.fleet, 0.0
    loss_of = fleet.policies.loss_of
    for hit in [None] if loss_of is None else [pool.name for pool in fleet.pools]:
        rate: dict[tuple[str, str], float] = {}
        for c, n in zip(problem.candidates, counts, strict=True):
            if c.workload != workload:
                continue
            pool = fleet.pool(c.pool)
            lost = 0
            if c.pool == hit:
                lost = math.ceil(n * c.groups / (pool.nodes if loss_of == "node" else pool.racks) - 1e-9)
                lost = min(lost, n)
            rate[c.role, c.zone] = rate.get((c.role, c.zone), 0.0) + (n - lost) * c.capacity_per_s
        zones = {zone for _, zone in rate}
        served = sum(rate.get(("mixed", zone), 0.0) for zone in zones)
        served += sum(min(rate.get(("prefill", z), 0.0), rate.get(("decode", z), 0.0)) for z in zones)
        demand = fleet.workload(workload).rate_per_s * 1.1
        worst = max(worst, (demand - served) / demand)
    return worst


def packs(counts: list[int], candidates: tuple[Candidate, ...], pool: str, nodes: int, room: int) -> bool:
    """Whether the groups of a pool fit its nodes: exhaustive search, largest first."""
    pairs = zip(candidates, counts, strict=True)
    sizes = sorted(
        (c.gpus_per_group for c, n in pairs if c.pool == pool for _ in range(n * c.groups)), reverse=True
    )

    def place(free: tuple[int, ...], left: list[int]) -> bool:
        if not left:
            return True
        options = {f for f in free if f >= left[0]}
        for f in options:
            rest = list(free)
            rest[rest.index(f)] -= left[0]
            if place(tuple(sorted(rest)), left[1:]):
                return True
        return False

    return sum(sizes) <= nodes * room and place((room,) * nodes, sizes)


@settings(max_examples=150, deadline=None)
@given(
    counts=st.lists(st.integers(0, 4), min_size=6, max_size=6),
    loss_of=st.sampled_from([None, "node", "rack"]),
)
def test_values_are_those_of_plain_loops(counts: list[int], loss_of: Literal["node", "rack"] | None) -> None:
    fleet = make_fleet(loss_of)
    problem = SizingProblem(fleet=fleet, candidates=make_candidates(fleet))
    graph = sizing_graph(problem)
    used = sum(counts)
    if used > graph.space.n_objects:
        return
    assignment = np.full(graph.space.n_objects, -1, np.int32)
    assignment[:used] = np.repeat(np.arange(6), counts)
    got = evaluate(graph, assignment)
    tiers = dict(zip([tier.name for tier in graph.tiers], got.tiers.tolist(), strict=True))
    assert list(tiers) == [
        "unserved_demand, priority 1", "unserved_demand, priority 2", "cost", "gpus", "movement",
    ]  # fmt: skip
    for priority, workload in ((1, "chat"), (2, "code")):
        want = max(0.0, expected_shortage(problem, counts, workload))
        assert tiers[f"unserved_demand, priority {priority}"] == pytest.approx(want, abs=1e-9)
    pairs = list(zip(problem.candidates, counts, strict=True))
    assert tiers["gpus"] == sum(c.gpus * n for c, n in pairs)
    assert tiers["cost"] == pytest.approx(sum(c.price_per_hour * n for c, n in pairs))
    assert tiers["movement"] == used
    fits = all(packs(counts, problem.candidates, p.name, p.nodes, p.gpus_per_node) for p in fleet.pools)
    assert got.feasible == fits


def test_running_instances_are_free_and_starts_and_stops_count() -> None:
    fleet = make_fleet()
    candidates = make_candidates(fleet)
    problem = SizingProblem(fleet=fleet, candidates=candidates, current={candidates[0].shape: 2})
    graph = sizing_graph(problem)
    for counts, movement in (((2, 0), 0), ((1, 0), 1), ((1, 1), 2), ((3, 2), 3)):
        assignment = np.full(graph.space.n_objects, -1, np.int32)
        assignment[: sum(counts)] = np.repeat([0, 1], counts)
        assert evaluate(graph, assignment).tiers[-1] == movement


def test_of_equal_plans_the_one_that_keeps_most_is_better_without_being_asked() -> None:
    fleet = replace(make_fleet(), goals=("unserved_demand", "cost"))
    candidates = make_candidates(fleet)
    problem = SizingProblem(fleet=fleet, candidates=candidates)
    assert tier_names(problem)[-1] == "cost"
    assert tier_names(replace(problem, current={candidates[0].shape: 2}))[-1] == "movement"


def test_tiers_already_minimised_are_limits() -> None:
    fleet = make_fleet()
    problem = SizingProblem(fleet=fleet, candidates=make_candidates(fleet))
    graph = sizing_graph(problem, minimise="cost", held={"unserved_demand, priority 1": 0.5})
    assert [tier.name for tier in graph.tiers] == ["cost"]
    enough = np.full(graph.space.n_objects, -1, np.int32)
    enough[:2] = 0  # 6 of 11 requests per second
    assert evaluate(graph, enough).feasible
    enough[1] = -1
    assert not evaluate(graph, enough).feasible


def test_unevenness_costs_capacity_until_one_node_holds_all() -> None:
    fleet = make_fleet("node")
    candidates = (make_candidate(fleet, capacity_per_s=11.0),)
    shares = []
    for factor in (1, 2, 3, 4):
        problem = SizingProblem(fleet=fleet, candidates=candidates, unevenness={0: factor})
        graph = sizing_graph(problem)
        assignment = np.full(graph.space.n_objects, -1, np.int32)
        assignment[:3] = 0
        shares.append(float(evaluate(graph, assignment).tiers[0]))
        assert problem.spread_limit(0, 3) == factor
    assert shares == pytest.approx([0.0, 0.0, 1.0, 1.0])  # 22, 11, 0 and 0 of 11 requests per second are left


def test_reserved_gpus_are_paid_for_in_any_case_and_no_more_when_used() -> None:
    fleet = make_fleet()
    pool = replace(fleet.pools[0], reserved_gpus=4, reserved_price_per_gpu_hour=1.5)
    fleet = replace(fleet, pools=(pool, fleet.pools[1]))
    problem = SizingProblem(fleet=fleet, candidates=(make_candidate(fleet),))
    graph = sizing_graph(problem, minimise="cost")
    for count, cost in ((0, 6.0), (4, 6.0), (6, 10.0)):
        assignment = np.full(graph.space.n_objects, -1, np.int32)
        assignment[:count] = 0
        assert evaluate(graph, assignment).tiers.tolist() == pytest.approx([cost])


def test_power_and_nodes_out_of_service_limit_the_supply() -> None:
    fleet = make_fleet()
    for changes, most in (
        ({"unavailable": (0,)}, 12),
        ({"gpu_watts": 700.0, "pool_limit_watts": 5000.0}, 7),
        ({"gpu_watts": 700.0, "rack_limit_watts": 2000.0}, 6),
    ):
        limited = replace(fleet, pools=(replace(fleet.pools[0], **changes), fleet.pools[1]))  # type: ignore[arg-type]
        problem = SizingProblem(
            fleet=limited, candidates=(make_candidate(fleet), make_candidate(fleet, pool="b"))
        )
        graph = sizing_graph(problem)
        for count in (most, most + 1):
            assignment = np.full(graph.space.n_objects, -1, np.int32)
            assignment[:count] = 0
            assert evaluate(graph, assignment).feasible == (count == most)


@settings(max_examples=60, deadline=None)
@given(served=st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_fairness_tiers_are_sums_of_the_worst_served_tenants(served: list[int]) -> None:
    base = make_fleet()
    names = ("x", "y", "z")
    workloads = tuple(
        replace(base.workloads[0], name=name, tenant="t" if name == "z" else name, rate_per_s=4.0, priority=1)
        for name in names
    )
    policies = replace(base.policies, shortage="serve_what_fits", headroom=0.0)
    fleet = replace(base, workloads=workloads, policies=policies)
    problem = SizingProblem(
        fleet=fleet, candidates=tuple(make_candidate(fleet, workload=name) for name in names)
    )
    graph = sizing_graph(problem)
    assert [tier.name for tier in graph.tiers][:3] == [
        "fairness, priority 1: 1 worst served",
        "fairness, priority 1: 2 worst served",
        "unserved_demand, priority 1",
    ]
    assignment = np.full(graph.space.n_objects, -1, np.int32)
    assignment[: sum(served)] = np.repeat(np.arange(3), served)
    missed = sorted((1 - n / 4 for n in served), reverse=True)
    assert evaluate(graph, assignment).tiers.tolist()[:3] == pytest.approx(
        [missed[0], sum(missed[:2]), sum(missed)]
    )


def test_losing_a_zone_loses_all_that_is_in_it() -> None:
    fleet = make_fleet("zone")
    candidates = (
        make_candidate(fleet, capacity_per_s=5.5),
        make_candidate(fleet, capacity_per_s=2.75, pool="b"),
    )
    graph = sizing_graph(SizingProblem(fleet=fleet, candidates=candidates))
    for counts, missed in (((2, 0), 1.0), ((2, 2), 0.5), ((2, 4), 0.0), ((1, 4), 0.5)):
        assignment = np.full(graph.space.n_objects, -1, np.int32)
        assignment[: sum(counts)] = np.repeat([0, 1], counts)
        assert evaluate(graph, assignment).tiers[0] == pytest.approx(missed)
