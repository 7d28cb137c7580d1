"""Immediate bounds against all assignments of small problems."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import all_assignments, graphs

from models.graph import AssignmentSpace, Axis, GraphBuilder, evaluate
from solvers.bounds.lower import interval_bounds
from solvers.portfolio.immediate import immediate_bounds


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(graph=graphs())
def test_no_assignment_is_below_and_no_interval_is_better(graph):
    bounds = immediate_bounds(graph)
    values = np.array([evaluate(graph, a).tiers for a in all_assignments(graph.space)])
    for level, (bound, interval) in enumerate(zip(bounds, interval_bounds(graph), strict=True)):
        assert bound >= interval
        assert bound <= values[:, level].min() + 1e-9 * max(1.0, abs(bound))


def test_placing_everything_is_known_to_be_the_best():
    n = 50
    size = np.arange(1.0, n + 1)
    space = AssignmentSpace(Axis("o", n), Axis("c", 7), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    b.minimize(b.total(b.usage(b.container_scope, size)), weight=-1.0)
    graph = b.build()
    assert immediate_bounds(graph) == pytest.approx([-size.sum()], rel=1e-12)
    assert interval_bounds(graph)[0] < -size.sum()
