"""The bound from totals against all assignments, and where it is exact."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import all_assignments, graphs, often

from models.graph import AssignmentSpace, Axis, GraphBuilder, evaluate
from models.graph.ops import PositivePart, Square
from solvers.bounds.aggregate import aggregate_bound
from solvers.bounds.separable import separated


def bound_of(graph, tier=0):
    return aggregate_bound(graph.space, separated((t.node, t.weight) for t in graph.tiers[tier].terms))


@settings(max_examples=often(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(graph=graphs())
def test_no_assignment_is_below_it(graph):
    values = np.array([evaluate(graph, a).tiers for a in all_assignments(graph.space)])
    for tier in range(len(graph.tiers)):
        assert bound_of(graph, tier) <= values[:, tier].min() + 1e-9 * max(1.0, abs(values[:, tier]).max())


def spread(function, level):
    """Twelve objects of size 1 on four hosts: the goal is a function of each load above its level."""
    space = AssignmentSpace(Axis("o", 12), Axis("c", 4), np.zeros(12, np.int32), np.zeros(12, bool))
    b = GraphBuilder(space)
    used = b.usage(b.container_scope, np.ones(12))
    b.minimize(b.total(b.node(function, b.affine([(used, 1.0)], -np.asarray(level)))))
    return b.build()


@pytest.mark.parametrize(
    ("function", "level", "expected"),
    [
        (PositivePart(), [2.0, 1.0, 0.0, 4.0], 5.0),  # 12 to place, 7 fit
        (PositivePart(), [4.0, 4.0, 4.0, 4.0], 0.0),
        (Square(), [0.0, 0.0, 0.0, 0.0], 36.0),  # three each
        (Square(), [4.0, 4.0, 0.0, 0.0], 4 * 1.0),  # five, five, one, one
    ],
)
def test_it_is_the_best_spread_of_the_total(function, level, expected):
    assert bound_of(spread(function, level)) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_objects_that_may_stay_out_have_no_known_total():
    space = AssignmentSpace(Axis("o", 12), Axis("c", 4), np.zeros(12, np.int32), np.ones(12, bool))
    b = GraphBuilder(space)
    b.minimize(b.total(b.node(Square(), b.usage(b.container_scope, np.ones(12)))))
    assert bound_of(b.build()) == pytest.approx(0.0)
