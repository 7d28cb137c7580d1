"""The MILP optimum against brute force over all assignments, on random small graphs of every operation."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import all_assignments, graphs

from models.graph import evaluate
from solvers import SolveOptions, solve

SLOW = settings(deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))


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


@SLOW
@given(graphs(max_objects=4, max_containers=3))
def test_highs_finds_the_optimum(graph):
    check(graph, solve(graph, SolveOptions(solver="highs")))
