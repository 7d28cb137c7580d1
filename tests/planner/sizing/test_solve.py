"""`planner.sizing.solve`: shortages are shared by priority, then fairly; starts are never lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.fleet import Fleet
from planner.sizing import SizingProblem
from planner.sizing.solve import solve_sizing
from planner.testing import make_candidate, make_fleet
from solvers import SolveOptions


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
