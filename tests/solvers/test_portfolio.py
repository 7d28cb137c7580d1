"""The default solver: chosen by size, always with a bound, on time, and repeatable."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import graphs

from models.errors import InvalidInput
from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope, evaluate
from models.graph.ops import PositivePart
from solvers import SolveOptions, portfolio, solve
from solvers.choose import solver_names


def balance(n=60, m=5, seed=0):
    """Objects that all start on one of `m` hosts; the goal counts what exceeds the mean load."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, n).astype(float)
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), weights)
    excess = b.affine([(used, 1.0)], -float(np.ceil(weights.sum() / m)))
    b.minimize(b.total(b.node(PositivePart(), excess)), spec="balance")
    b.minimize(b.moved_amount(), tier=1, weight=1.0, spec="movement")
    return b.build()


@pytest.fixture(scope="module", autouse=True)
def compiled():
    solve(balance(), SolveOptions(solver="search", iteration_limit=10))


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(portfolio, "LARGE", 0)


@pytest.fixture
def small_is_medium(monkeypatch):
    monkeypatch.setattr(portfolio, "SMALL", 0)
    monkeypatch.setattr(portfolio, "FIRST_ITERATIONS", 2000)


def test_small_problems_are_proven():
    result = solve(balance(12, 3))
    assert result.status == "optimal"
    assert result.solver == "highs"


def test_search_results_carry_a_bound_and_keep_the_time_limit():
    graph = balance()
    started = time.monotonic()
    result = solve(graph, SolveOptions(solver="search", time_limit_s=2.0))
    assert time.monotonic() - started < 3.0
    assert result.solver == "search"
    assert result.status in ("optimal", "feasible")
    assert result.tiers[0].value == pytest.approx(0.0)
    assert result.tiers[0].bound == pytest.approx(0.0)
    # with the first tier held, at least so many must move as the relaxation says
    assert 0 < result.tiers[1].bound <= result.tiers[1].value


@pytest.mark.usefixtures("small_is_medium")
@pytest.mark.parametrize("threads", [1, 2])
def test_between_both_run_and_it_is_proven(threads):
    limit = None if threads == 1 else 20.0
    result = solve(balance(12, 3), SolveOptions(threads=threads, time_limit_s=limit))
    assert result.status == "optimal"
    assert all(t.gap <= 1e-6 for t in result.tiers)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("threads", [1, 2])
def test_large_problems_keep_the_limit_and_have_a_bound_for_every_tier(threads):
    graph = balance()
    started = time.monotonic()
    result = solve(graph, SolveOptions(time_limit_s=2.0, threads=threads))
    assert time.monotonic() - started < 3.0
    assert result.status in ("optimal", "feasible")
    assert evaluate(graph, result.assignment).tiers.tolist() == [t.value for t in result.tiers]
    assert all(t.bound is not None for t in result.tiers)
    assert result.trajectory
    assert all(p.bound is None or p.gap is not None for p in result.trajectory)
    times = [p.elapsed_s for p in result.trajectory]
    assert times == sorted(times)


@pytest.mark.usefixtures("small_is_large")
def test_the_same_seed_and_iterations_give_the_same_answer():
    graph = balance(80, 7)
    options = SolveOptions(iteration_limit=300_000, seed=5)
    first, second = solve(graph, options), solve(graph, options)
    assert first.statistics["parts"] > 0
    assert np.array_equal(first.assignment, second.assignment)
    assert [t.value for t in first.tiers] == [t.value for t in second.tiers]


@pytest.mark.usefixtures("small_is_medium")
def test_without_limits_one_thread_repeats_itself():
    graph = balance(14, 3)
    first, second = solve(graph), solve(graph)
    assert np.array_equal(first.assignment, second.assignment)


@pytest.mark.usefixtures("small_is_large")
@pytest.mark.parametrize("threads", [1, 2])
def test_cancelling_returns_the_best_so_far_at_once(threads):
    graph = balance(400, 20)
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    started = time.monotonic()
    result = solve(graph, SolveOptions(time_limit_s=60, threads=threads, cancelled=stop.is_set))
    assert time.monotonic() - started < 3.0
    assert result.status == "cancelled"
    assert evaluate(graph, result.assignment).feasible


def test_cancelling_stops_branch_and_bound_beside_search(small_is_medium):
    del small_is_medium
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    started = time.monotonic()
    result = solve(balance(200, 11), SolveOptions(time_limit_s=60, threads=2, cancelled=stop.is_set))
    assert time.monotonic() - started < 4.0
    assert result.status in ("cancelled", "optimal")


@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_every_way_through_agrees(graph):
    """Never better than the optimum, and never called optimal when worse."""
    exact = solve(graph, SolveOptions(solver="highs"))
    with pytest.MonkeyPatch.context() as patch:
        for limits in ({"SMALL": 0, "FIRST_ITERATIONS": 500}, {"LARGE": 0}):
            for name, value in limits.items():
                patch.setattr(portfolio, name, value)
            found = solve(graph, SolveOptions(iteration_limit=2000))
            if found.assignment is None:
                assert exact.status == "infeasible" or found.status == "unknown"
                continue
            values, best = ([t.value for t in r.tiers] for r in (found, exact))
            if found.status == "optimal":
                assert values == pytest.approx(best, rel=1e-4, abs=1e-4)
            assert values[0] >= best[0] - 1e-4 * max(1.0, abs(best[0]))


def test_the_size_of_a_large_problem_is_seen_from_a_sample(monkeypatch):
    graph = balance(200, 9)
    exact = portfolio._columns(graph)
    monkeypatch.setattr(portfolio, "SAMPLE", 50)
    monkeypatch.setattr(portfolio, "LARGE", 20)
    assert 20 < portfolio._columns(graph) <= exact
    monkeypatch.setattr(portfolio, "LARGE", 10**9)
    assert portfolio._columns(graph) == exact


def test_names_and_bad_options():
    assert {"auto", "highs", "cp-sat", "cbc", "pulp", "search"} <= set(solver_names())
    for wrong in ({"time_limit_s": 0.0}, {"gap": -1.0}, {"threads": 0}, {"seed": -1}, {"iteration_limit": 0}):
        with pytest.raises(InvalidInput):
            SolveOptions(**wrong)


def test_search_settles_a_small_problem_whose_bound_is_plain():
    n, m = 300, 30
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    used = b.usage(b.container_scope, np.repeat(np.arange(1.0, 61.0), 5))  # 60 classes of five
    limit = b.affine([(used, 1.0)], -400.0)
    b.minimize(b.total(b.node(PositivePart(), limit)))
    graph = b.build()
    result = solve(graph, SolveOptions(time_limit_s=30.0))
    assert result.status == "optimal"
    assert result.solver == "search"
    assert result.timings.total_s < 10.0


def test_search_alone_stops_when_everything_is_placed():
    n = 5_000
    space = AssignmentSpace(Axis("o", n), Axis("c", 100), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    used = b.usage(b.container_scope, np.arange(1.0, n + 1))
    b.constrain(b.affine([(used, 1.0)], -float(n * n)), spec="capacity")
    b.minimize(b.total(b.usage(b.container_scope, np.ones(n))), weight=-1.0)
    result = solve(b.build(), SolveOptions(solver="search", time_limit_s=60.0))
    assert result.tiers[0].value == -n
    assert result.status == "optimal"
    assert result.timings.total_s < 30.0
