"""Squares and powers of operands with many values: the bound closes, and it is never above the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from strategies import all_assignments

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope, evaluate
from models.graph.ops import Power, Square
from solvers import SolveOptions, solve


def spread(op, weight, n=6, m=2, seed=0):
    """Σ over hosts of op(load − mean) for loads without a common measure."""
    load = np.random.default_rng(seed).uniform(1, 9, n) * np.sqrt(2)
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), load)
    b.minimize(b.total(b.node(op, b.affine([(used, 1.0)], -float(load.sum() / m)))), weight=weight)
    return b.build()


def best(graph):
    return min(evaluate(graph, a).tiers[0] for a in all_assignments(graph.space))


@pytest.mark.parametrize("op", [Square(), Power(1.7)], ids=["square", "power"])
def test_from_above_cuts_close_the_gap(op):
    graph = spread(op, 1.0)
    result = solve(graph)
    assert result.status == "optimal"
    assert result.tiers[0].value == pytest.approx(best(graph), rel=1e-5)


@pytest.mark.parametrize("op", [Square(), Power(1.7)], ids=["square", "power"])
def test_from_below_the_remaining_error_is_in_the_gap(op):
    graph = spread(op, -1.0)
    result = solve(graph)
    assert result.status in ("optimal", "feasible")
    assert result.tiers[0].value == pytest.approx(best(graph), rel=1e-3)
    assert result.tiers[0].bound <= best(graph) + 1e-6
    assert result.tiers[0].gap < 1e-2


def test_whole_operands_need_no_cuts():
    n, m = 7, 3
    load = np.arange(1.0, n + 1)
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    b.minimize(b.total(b.node(Square(), b.usage(Scope.identity(space.containers), load))))
    result = solve(b.build(), SolveOptions(gap=0.0))
    # 28 in three hosts: 9, 9, 10
    assert result.tiers[0].value == 81 + 81 + 100
    assert result.tiers[0].gap == 0.0
    assert "cut_rounds" not in result.statistics
