"""`planner.sizing.solve`: shortages are shared by priority, then fairly; starts are never lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from models.graph import Graph
from planner.fleet import Fleet
from planner.sizing import SizingProblem
from planner.sizing import solve as solving
from planner.sizing.solve import solve_sizing
from planner.testing import make_candidate, make_fleet
from solvers import Result, SolveOptions
from solvers.result import UNKNOWN


def short_fleet(rates: dict[str, float], *, priorities: dict[str, int] | None = None) -> Fleet:
    """Eighteen GPUs, one request per second each, for more than that."""
    base = make_fleet()
    workloads = tuple(
        replace(
            base.workloads[0],
            name=name,
            tenant=name,
            rate_per_s=rate,
            priority=(priorities or {}).get(name, 1),
        )
        for name, rate in rates.items()
    )
    policies = replace(base.policies, shortage="serve_what_fits", headroom=0.0)
    return replace(base, workloads=workloads, policies=policies, goals=("unserved_demand", "cost"))


def counts(fleet: Fleet) -> list[int]:
    candidates = tuple(make_candidate(fleet, workload=w.name) for w in fleet.workloads)
    sizing = solve_sizing(SizingProblem(fleet=fleet, candidates=candidates), SolveOptions())
    assert sizing.status == "optimal"
    return [sizing.counts.get(index, 0) for index in range(len(candidates))]


def test_a_shortage_is_shared_in_equal_shares() -> None:
    assert counts(short_fleet({"x": 12.0, "y": 24.0})) == [6, 12]


def test_the_worst_served_first_then_the_next() -> None:
    # z can have all it asks for only when nobody else is worse off for it: 3 of 3 and 7.5 of 30 are not fair.
    assert counts(short_fleet({"x": 18.0, "y": 18.0, "z": 9.0})) in ([7, 7, 4], [7, 8, 3], [8, 7, 3])
    assert counts(short_fleet({"x": 20.0, "y": 4.0})) == [15, 3]


def test_priorities_come_before_fairness() -> None:
    assert counts(short_fleet({"x": 12.0, "y": 24.0}, priorities={"x": 2})) == [0, 18]


def test_a_start_is_never_lost() -> None:
    fleet = short_fleet({"x": 10.0})
    problem = SizingProblem(fleet=fleet, candidates=(make_candidate(fleet, workload="x"),), current={})
    sizing = solve_sizing(problem, SolveOptions(time_limit_s=1e-3), starts=[[99], [12]])
    assert sizing.unserved_share == pytest.approx(0.0)
    assert 10 <= sizing.counts[0] <= 12


def out_of_time(graph: Graph, options: SolveOptions) -> Result:
    """What any solver returns whose time ends before its first feasible point."""
    return Result(status=UNKNOWN, assignment=None, solver="none")


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("running", [(0, 0), (6, 3), (12, 9)])
def test_without_any_time_what_runs_is_completed(
    running: tuple[int, int], large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = replace(make_fleet(), goals=("unserved_demand", "cost", "movement"))
    candidates = (make_candidate(fleet), make_candidate(fleet, workload="code", model="code", pool="b"))
    current = {c.shape: n for c, n in zip(candidates, running, strict=True) if n}
    problem = SizingProblem(fleet=fleet, candidates=candidates, current=current)
    monkeypatch.setattr(solving, "solve", out_of_time)
    monkeypatch.setattr(solving, "LARGE", 1 if large else 99)
    sizing = solve_sizing(problem, SolveOptions(time_limit_s=1e-9))
    assert sizing.status == "feasible"
    assert sizing.covers_demand
    assert sizing.counts == {0: 11, 1: 5}  # of 11 and 4.4 requests per second


def test_without_any_time_a_fleet_that_is_too_small_is_not_said_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = short_fleet({"x": 30.0})
    problem = SizingProblem(fleet=fleet, candidates=(make_candidate(fleet, workload="x"),))
    monkeypatch.setattr(solving, "solve", out_of_time)
    sizing = solve_sizing(problem, SolveOptions(time_limit_s=1e-9))
    assert (sizing.status, sizing.tiers) == ("unknown", ())


@pytest.mark.parametrize(
    ("rates", "running"), [((9.0, 4.0), (0, 0)), ((9.0, 4.0), (9, 5)), ((14.0, 3.0), (12, 4))]
)
def test_a_large_problem_is_near_the_exact_answer_and_keeps_what_runs(
    rates: tuple[float, float], running: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    base = make_fleet("node")
    fleet = replace(
        base,
        workloads=tuple(replace(w, rate_per_s=r) for w, r in zip(base.workloads, rates, strict=True)),
        goals=("unserved_demand", "cost"),
    )
    candidates = (
        make_candidate(fleet, capacity_per_s=1.3),
        make_candidate(fleet, workload="code", model="code", capacity_per_s=1.1, pool="b"),
        make_candidate(fleet, workload="code", model="code", capacity_per_s=1.0),
    )
    current = {c.shape: n for c, n in zip(candidates, running, strict=False) if n}
    problem = SizingProblem(fleet=fleet, candidates=candidates, current=current)
    exact = solve_sizing(problem, SolveOptions())
    monkeypatch.setattr(solving, "LARGE", 1)
    large = solve_sizing(problem, SolveOptions(gap=1e-4))
    cost = {t.name: t for t in large.tiers}["cost"]
    best = {t.name: t for t in exact.tiers}["cost"].value
    assert large.covers_demand == exact.covers_demand
    assert best * (1 - 1e-9) <= cost.value <= best * 1.011
    assert cost.bound is not None
    assert cost.bound <= best + 1e-6
