"""The MILP optimum against brute force over all assignments, on random small graphs of every operation."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import all_assignments, graphs

from models.errors import UnknownName, Unsupported
from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope, evaluate
from models.graph.ops import Peak
from solvers import SolveOptions, solve


def few(n):
    return settings(deadline=None, max_examples=n, suppress_health_check=list(HealthCheck))


def brute_force(graph):
    """Lexicographically least tiers over all feasible assignments, None when there is none."""
    best = None
    for assignment in all_assignments(graph.space):
        evaluation = evaluate(graph, assignment)
        if not evaluation.feasible:
            continue
        tiers = evaluation.tiers.tolist()
        if best is None or _less(tiers, best):
            best = tiers
    return best


def _less(a, b):
    for x, y in zip(a, b, strict=True):
        if abs(x - y) > 1e-7 * max(1.0, abs(x)):
            return x < y
    return False


def check(graph, result):
    expected = brute_force(graph)
    if expected is None:
        assert result.status == "infeasible"
        return
    assert result.status == "optimal", (result.status, result.tiers, expected)
    assert [t.value for t in result.tiers] == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert evaluate(graph, result.assignment).feasible


@few(40)
@given(graphs(max_objects=4, max_containers=3))
def test_highs_finds_the_optimum(graph):
    check(graph, solve(graph, SolveOptions(solver="highs")))


@few(25)
@given(graphs(max_objects=3, max_containers=3))
def test_cp_sat_finds_the_same_or_says_what_it_cannot_state(graph):
    try:
        result = solve(graph, SolveOptions(solver="cp-sat"))
    except Unsupported:
        return
    check(graph, result)


@few(3)
@given(graphs(max_objects=3, max_containers=2, depth=2))
def test_cbc_finds_the_same(graph):
    check(graph, solve(graph, SolveOptions(solver="cbc")))


def packing(n=40, m=8, seed=0, size=(1, 1, 2, 2, 4, 4, 8)):
    """Items of some sizes and values into bins of eight, too many of them."""
    rng = np.random.default_rng(seed)
    sizes = rng.choice(size, n).astype(float)
    values = np.round(sizes * rng.uniform(0.5, 2, n), 2)
    space = AssignmentSpace(Axis("item", n), Axis("bin", m), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    bins = Scope.identity(space.containers)
    b.constrain(b.affine([(b.usage(bins, sizes), 1.0)], -8.0), spec="capacity")
    b.minimize(b.affine([(b.total(b.usage(bins, values)), -1.0)]), spec="value")
    return b.build()


@pytest.mark.parametrize("solver", ["highs", "cp-sat", "cbc"])
def test_all_backends_agree_on_a_packing(solver):
    result = solve(packing(), SolveOptions(solver=solver))
    assert result.status == "optimal"
    assert result.solver == solver
    assert result.tiers[0].value == pytest.approx(-99.19, abs=1e-6)
    assert result.tiers[0].bound == pytest.approx(-99.19, rel=1e-6)


def test_same_seed_same_answer():
    results = [solve(packing(seed=3), SolveOptions(seed=5)) for _ in range(2)]
    assert results[0].assignment.tobytes() == results[1].assignment.tobytes()


def hard_balance(n=60, m=6):
    """Peak load of random weights: a bound that closes slowly."""
    rng = np.random.default_rng(4)
    weights = rng.integers(10**5, 10**6, n).astype(float)
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    b.minimize(b.node(Peak(), b.usage(Scope.identity(space.containers), weights)), spec="peak")
    return b.build()


@pytest.mark.parametrize("solver", ["highs", "cp-sat", "cbc"])
def test_the_time_limit_is_kept_and_the_gap_reported(solver):
    started = time.monotonic()
    result = solve(hard_balance(), SolveOptions(solver=solver, time_limit_s=2.0, gap=0.0))
    assert time.monotonic() - started < 3.0
    assert result.status == "feasible"
    tier = result.tiers[0]
    assert tier.bound is not None
    assert tier.bound <= tier.value
    assert tier.gap == pytest.approx((tier.value - tier.bound) / tier.value)


@pytest.mark.parametrize("solver", ["highs", "cp-sat", "cbc"])
def test_cancelling_returns_the_best_so_far(solver):
    started = time.monotonic()
    options = SolveOptions(solver=solver, gap=0.0, cancelled=lambda: time.monotonic() - started > 1.0)
    result = solve(hard_balance(), options)
    assert time.monotonic() - started < 4.0
    assert result.status == "cancelled"
    # the start was feasible, so there is always an answer
    assert result.assignment is not None


@pytest.mark.parametrize("solver", ["highs", "cp-sat"])
def test_progress_is_reported_with_bound_and_gap(solver):
    heard = []
    solve(hard_balance(), SolveOptions(solver=solver, time_limit_s=1.5, gap=0.0, on_progress=heard.append))
    assert heard[0].phase == "build"
    assert any(p.objective is not None and p.bound is not None and p.gap is not None for p in heard)
    times = [p.elapsed_s for p in heard]
    assert times == sorted(times)


def test_the_start_is_used_and_never_made_worse():
    graph = hard_balance(12, 3)
    start = solve(graph).assignment
    value = evaluate(graph, start).tiers[0]
    result = solve(graph, SolveOptions(start=start, time_limit_s=0.05, gap=0.0))
    assert result.tiers[0].value <= value


def test_tiers_are_lexicographic():
    space = AssignmentSpace(Axis("o", 2), Axis("c", 2), np.zeros(2, np.int32), np.zeros(2, bool))
    b = GraphBuilder(space)
    b.minimize(b.node(Peak(), b.usage(Scope.identity(space.containers), [1.0, 1.0])), tier=0, name="peak")
    b.minimize(b.moved_amount([5.0, 3.0]), tier=1, name="movement")
    result = solve(b.build())
    assert [(t.name, t.value, t.bound) for t in result.tiers] == [
        ("peak", 1.0, 1.0),
        ("movement", 3.0, 3.0),
    ]
    assert result.assignment.tolist() == [0, 1]
    assert result.moved == 1


def test_unknown_solver_suggests_the_nearest():
    with pytest.raises(UnknownName, match="highs"):
        solve(packing(), SolveOptions(solver="high"))


def test_identical_objects_are_decided_together():
    n, m = 3000, 20
    space = AssignmentSpace(Axis("slot", n), Axis("kind", m), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.ones(n))
    b.constrain(b.affine([(b.total(used), -1.0)], 1234.0), spec="demand")
    b.minimize(b.total(b.affine([(used, np.arange(1.0, m + 1))])), spec="cost")
    result = solve(b.build())
    assert result.statistics["object_classes"] == 1
    assert result.status == "optimal"
    assert result.tiers[0].value == 1234.0
    assert int((result.assignment == 0).sum()) == 1234
