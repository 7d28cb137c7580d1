"""Size of a model before it is made; `test_solve` compares what the model says with brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import graphs

from models.errors import Unsupported
from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope
from models.graph.ops import Total
from solvers.milp import lowering
from solvers.milp.lowering import lower, open_columns


def fitting(sizes, rooms):
    """Objects of `sizes`, all without a place at first, on containers with `rooms`."""
    n, m = len(sizes), len(rooms)
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.asarray(sizes, float))
    b.constrain(b.affine([(used, 1.0)], -np.asarray(rooms, float)), spec="room")
    b.minimize(b.node(Total(), used), weight=-1.0, spec="placed")
    return b.build()


def test_places_too_small_for_an_object_do_not_count():
    # size 4 fits two of the containers, size 2 three, size 1 all four; each may stay without a place
    graph = fitting([4, 4, 2, 1], [4, 5, 2, 1])
    assert open_columns(graph) == (2 + 1) + (3 + 1) + (4 + 1)


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_as_many_columns_are_open_as_the_model_gets(graph):
    assert open_columns(graph) == lower(graph).decision.n


def test_a_model_too_large_to_be_stated_counts_all_columns(monkeypatch):
    graph = fitting([4, 4, 2, 1], [4, 5, 2, 1])
    monkeypatch.setattr(lowering, "ENTRY_LIMIT", 10)
    assert open_columns(graph) == 3 * 5
    with pytest.raises(Unsupported, match=r"about \d+ entries"):
        lower(graph)
