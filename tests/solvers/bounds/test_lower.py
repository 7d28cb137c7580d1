"""Bounds hold, and the quotient has the optimum of the whole relaxation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from scipy import sparse
from strategies import graphs

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope
from models.graph.ops import PositivePart
from solvers import solve
from solvers.bounds.linear import solve_relaxed
from solvers.bounds.lower import interval_bounds, lower_bounds
from solvers.bounds.quotient import quotient
from solvers.milp.lowering import lower
from solvers.milp.model import MilpModel


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_bounds_never_exceed_the_optimum(graph):
    result = solve(graph)
    if result.status != "optimal":
        return
    values = [t.value for t in result.tiers]
    for bound, value in zip(lower_bounds(graph, values), values, strict=True):
        assert bound <= value + 1e-6 * max(1.0, abs(value))
    assert interval_bounds(graph)[0] <= values[0] + 1e-9


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_the_quotient_has_the_same_optimum(graph):
    lowered = lower(graph)
    tier = lowered.tiers.taken(np.array([0]))
    cost = np.zeros(lowered.model.n_columns)
    cost[tier.column] = tier.coefficient
    small = quotient(lowered.model, cost[None, :])
    whole = solve_relaxed(lowered.model, cost, 0.0, None)
    merged = solve_relaxed(small.model, small.cost(cost), 0.0, None)
    assert (whole is None) == (merged is None)
    if whole is not None:
        assert merged.objective == pytest.approx(whole.objective, rel=1e-6, abs=1e-6)


def test_an_entry_of_the_first_value_and_colour_is_seen():
    # x0 + x1 >= 1, x1 >= 1: only the number of entries tells the two rows and columns apart
    matrix = sparse.csr_array(np.array([[1.0, 1.0], [0.0, 1.0]]))
    whole = MilpModel(
        np.zeros(2),
        np.ones(2),
        np.ones(2, bool),
        np.full(2, 1_000_000),
        np.full(2, -1),
        matrix,
        np.ones(2),
        np.full(2, np.inf),
        np.full(2, -1),
    )
    small = quotient(whole, np.ones((1, 2)))
    assert small.model.n_columns == 2
    assert small.model.n_rows == 2


def test_identical_hosts_collapse():
    n, m = 300, 40
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    load = np.random.default_rng(0).integers(1, 9, n).astype(float)
    used = b.usage(Scope.identity(space.containers), load)
    b.constrain(b.affine([(used, 1.0)], -25.0), spec="capacity")
    b.minimize(b.total(b.node(PositivePart(), b.affine([(used, -1.0)], 30.0))), spec="fill")
    graph = b.build()
    lowered = lower(graph)
    tier = lowered.tiers.taken(np.array([0]))
    cost = np.zeros(lowered.model.n_columns)
    cost[tier.column] = tier.coefficient
    small = quotient(lowered.model, cost[None, :])
    assert small.model.n_columns < lowered.model.n_columns / 10
    assert lower_bounds(graph, [300.0])[0] == pytest.approx(5.0 * m)
