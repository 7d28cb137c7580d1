"""`planner.sizing.apart` and `rounding`: bounds hold, counts serve, both against the exact solve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph import evaluate
from planner.sizing import SizingProblem
from planner.sizing.apart import largest_share, solve_apart
from planner.sizing.columns import assignment_of
from planner.sizing.graph import sizing_graph
from planner.sizing.master import Master
from planner.sizing.rounding import Service, round_up
from planner.sizing.solve import _Run, solve_sizing
from planner.testing import make_candidate, make_fleet
from solvers import SolveOptions

ROLES = ("mixed", "prefill", "decode")


@st.composite
def problems(draw: st.DrawFn) -> SizingProblem:
    fleet = make_fleet(draw(st.sampled_from([None, "node", "rack", "zone"])))
    rates = [draw(st.floats(0.5, 14.0)) for _ in fleet.workloads]
    pool = replace(
        fleet.pools[0], reserved_gpus=draw(st.sampled_from([0, 5])), reserved_price_per_gpu_hour=1.0
    )
    fleet = replace(
        fleet,
        pools=(pool, fleet.pools[1]),
        workloads=tuple(replace(w, rate_per_s=r) for w, r in zip(fleet.workloads, rates, strict=True)),
        goals=("unserved_demand", "cost"),
    )
    candidates = [
        make_candidate(
            fleet, workload=workload, model=workload, pool=pool, role=role, gpus_per_group=gpus,
            capacity_per_s=draw(st.floats(0.6, 1.6)) * gpus,
        )
        for workload in ("chat", "code")
        for pool in ("a", "b")
        for role in ROLES
        for gpus in (1, 2)
    ]  # fmt: skip
    return SizingProblem(fleet=fleet, candidates=tuple(candidates))


@settings(max_examples=100, deadline=None)
@given(problem=problems(), data=st.data())
def test_service_in_plain_numbers_is_that_of_the_graph(problem: SizingProblem, data: st.DataObject) -> None:
    counts = np.array([data.draw(st.integers(0, 2)) for _ in problem.candidates], np.int64)
    graph = sizing_graph(problem)
    assignment = assignment_of(counts.tolist(), graph.space.n_objects)
    if assignment is None:
        return
    missed = evaluate(graph, assignment).tiers.tolist()[:2]
    service = Service(problem)
    for workload, share in zip(problem.fleet.workloads, missed, strict=True):
        demand = problem.demand_per_s(workload.name)
        assert max(0.0, 1 - service.served(workload.name, counts) / demand) == pytest.approx(share, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(problem=problems())
def test_the_bound_is_below_the_optimum_and_the_counts_serve_all(problem: SizingProblem) -> None:
    exact = solve_sizing(problem, SolveOptions())
    apart = solve_apart(problem, SolveOptions())
    assert apart is None or not (apart.is_impossible and exact.covers_demand)
    if not exact.covers_demand:
        assert apart is None or apart.counts is None
        return
    assert apart is not None
    best = exact.tiers[-1].value
    assert apart.bound <= best * (1 + 1e-6) + 1e-6
    if apart.counts is not None:
        graph = sizing_graph(problem)
        assignment = assignment_of(apart.counts.tolist(), graph.space.n_objects)
        assert assignment is not None
        found = evaluate(graph, assignment)
        assert found.feasible
        assert found.tiers[0] + found.tiers[1] <= 1e-6
        assert found.tiers[2] >= best * (1 - 1e-6) - 1e-6


def test_counts_near_what_runs_are_completed_and_trimmed() -> None:
    fleet = make_fleet()
    problem = SizingProblem(
        fleet=fleet,
        candidates=(make_candidate(fleet), make_candidate(fleet, workload="code", model="code", pool="b")),
    )
    for running in ([10, 5], [14, 5], [11, 9]):
        completed = round_up(problem, running)
        assert completed is not None
        assert completed.tolist() == [11, 5]  # of 11 and 4.4 requests per second


def test_without_time_for_a_whole_choice_the_mixture_is_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both workloads are cheapest on the pool of 18 GPUs, and need 22."""
    fleet = replace(make_fleet(), goals=("unserved_demand", "cost"))
    workloads = tuple(replace(w, rate_per_s=10.0) for w in fleet.workloads)
    fleet = replace(fleet, workloads=workloads)
    candidates = tuple(
        make_candidate(fleet, workload=name, model=name, pool=pool)
        for name in ("chat", "code") for pool in ("a", "b")
    )  # fmt: skip
    monkeypatch.setattr(Master, "whole", lambda *_: None)
    apart = solve_apart(SizingProblem(fleet=fleet, candidates=candidates), SolveOptions())
    assert apart is not None
    assert apart.counts is not None
    counts = apart.counts.tolist()
    assert [counts[0] + counts[1], counts[2] + counts[3]] == [11, 11]
    assert counts[0] + counts[2] == 18


@pytest.mark.parametrize(("rate", "impossible"), [(8.5, False), (8.9, False), (9.1, True), (15.0, True)])
def test_more_than_the_supply_can_do_is_proven_to_be_impossible(rate: float, impossible: bool) -> None:
    """Two workloads on one pool of 18 GPUs, each instance serves 1/s: 9/s each are the most."""
    fleet = replace(make_fleet(), goals=("unserved_demand", "cost"))
    headroom = 1 + fleet.policies.headroom
    fleet = replace(fleet, workloads=tuple(replace(w, rate_per_s=rate / headroom) for w in fleet.workloads))
    candidates = tuple(make_candidate(fleet, workload=n, model=n, pool="a") for n in ("chat", "code"))
    apart = solve_apart(SizingProblem(fleet=fleet, candidates=candidates), SolveOptions())
    assert apart is not None
    assert apart.is_impossible == impossible


def test_a_large_fleet_without_enough_is_short_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not asked whether all can be served, and both get the same share where nothing else decides."""
    fleet = replace(make_fleet(), goals=("unserved_demand", "cost"))
    fleet = replace(fleet, workloads=tuple(replace(w, rate_per_s=12.0) for w in fleet.workloads))
    candidates = tuple(make_candidate(fleet, workload=n, model=n, pool="a") for n in ("chat", "code"))
    problem = SizingProblem(fleet=fleet, candidates=candidates)
    monkeypatch.setattr("planner.sizing.solve.LARGE", 1)
    monkeypatch.setattr(_Run, "serve_all", lambda _: pytest.fail("asked"))
    found = solve_sizing(problem, SolveOptions())
    assert found.shortage_is_proven
    assert not found.covers_demand
    assert sum(found.counts.values()) * candidates[0].gpus == 18
    whole = largest_share(problem, SolveOptions())
    assert whole is not None
    assert whole[0] == whole[1]
    assert whole.sum() >= sum(found.counts.values()) - 1
    assert not solve_sizing(replace(problem, withheld_gpus={"a": 2}), SolveOptions()).is_short
