"""The default solver: chosen by size, always with a bound."""

from __future__ import annotations

import time

import numpy as np
import pytest

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


def test_small_problems_are_proven():
    result = solve(balance(12, 3))
    assert result.status == "optimal"
    assert result.solver == "highs"


def test_search_results_carry_a_bound_and_keep_the_time_limit():
    graph = balance()
    solve(graph, SolveOptions(solver="search", iteration_limit=10))  # kernels compiled
    started = time.monotonic()
    result = solve(graph, SolveOptions(solver="search", time_limit_s=2.0))
    assert time.monotonic() - started < 3.0
    assert result.solver == "search"
    assert result.status in ("optimal", "feasible")
    assert result.tiers[0].value == pytest.approx(0.0)
    assert result.tiers[0].bound == pytest.approx(0.0)
    # with the first tier held, at least so many must move as the relaxation says
    assert 0 < result.tiers[1].bound <= result.tiers[1].value


def test_between_search_hands_over_to_branch_and_bound(monkeypatch):
    monkeypatch.setattr(portfolio, "SMALL", 0)
    monkeypatch.setattr(portfolio, "SEARCH_ITERATIONS", 2000)
    result = solve(balance(12, 3))
    assert result.status == "optimal"
    assert result.solver == "highs"


def test_large_problems_go_to_search(monkeypatch):
    monkeypatch.setattr(portfolio, "LARGE", 0)
    graph = balance()
    result = solve(graph, SolveOptions(iteration_limit=2000))
    assert result.solver == "search"
    assert evaluate(graph, result.assignment).tiers[0] == result.tiers[0].value


def test_names_and_bad_options():
    assert {"auto", "highs", "cp-sat", "cbc", "pulp", "search"} <= set(solver_names())
    for wrong in ({"time_limit_s": 0.0}, {"gap": -1.0}, {"threads": 0}, {"seed": -1}, {"iteration_limit": 0}):
        with pytest.raises(InvalidInput):
            SolveOptions(**wrong)
