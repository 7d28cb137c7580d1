"""The estimate beside the models that are made."""

from __future__ import annotations

import numpy as np
import pytest

from models.graph import AssignmentSpace, Axis, GraphBuilder, Partition, Scope
from models.graph.ops import ROWS, Total
from solvers.milp.estimate import entries
from solvers.milp.lowering import lower, model_entries


def space_of(n, hosts):
    return AssignmentSpace(Axis("o", n), Axis("h", hosts), np.zeros(n, np.int32), np.zeros(n, bool))


def loads(n=30, hosts=7, components=1, racks=1):
    """Objects that all differ, hosts in so many racks each, a limit for each amount in each rack."""
    rng = np.random.default_rng(4)
    b = GraphBuilder(space_of(n, hosts))
    inside = Scope.from_lists("rack", Axis("rack", hosts), [
        [(host + k) % hosts for k in range(racks)] for host in range(hosts)
    ])  # fmt: skip
    used = b.usage(inside, rng.uniform(1, 2, (n, components)))
    b.constrain(b.affine([(used, 1.0)], -2.0 * n / hosts * racks), spec="room")
    b.minimize(b.node(Total(), used), spec="load")
    return b.build()


def spread(n=24, hosts=6):
    """Every object in two of six groups, at most two of a group on a host."""
    b = GraphBuilder(space_of(n, hosts))
    groups = Partition.from_lists(
        "group", Axis("group", 6), [[o % 6, (o // 6 + o + 1) % 6] for o in range(n)]
    )
    together = b.group_usage(groups, Scope.identity(b.space.containers), np.ones(n), "after")
    b.constrain(b.affine([(together, 1.0)], -2.0), spec="spread")
    weights = np.arange(1.0, n + 1)
    used = b.usage(Scope.identity(b.space.containers), weights)
    b.constrain(b.affine([(used, 1.0)], -float(weights.sum()) / 3), spec="room")
    return b.build()


@pytest.mark.parametrize(
    "graph",
    [loads(), loads(components=3), loads(racks=2), loads(components=4, racks=3), spread()],
    ids=["one amount", "three amounts", "two racks", "four amounts in three racks", "groups"],
)
def test_as_many_entries_as_the_model_of_limits_on_leaves_has(graph):
    lowered = lower(graph, prune=False)
    nonzeros = lowered.model.matrix.nnz
    assert entries(lowered.decision.classes, graph.nodes, lowered.decision.n) == nonzeros
    # beforehand the unassigned state counts as a place of every object
    assert nonzeros <= model_entries(graph) <= nonzeros * (1 + 1 / graph.space.n_containers)


def test_identical_objects_are_counted_once():
    b = GraphBuilder(space_of(1000, 5))
    used = b.usage(Scope.identity(b.space.containers), np.repeat([1.0, 2.0], 500))
    b.constrain(b.affine([(used, 1.0)], -400.0), spec="room")
    assert model_entries(b.build()) == 2 * (5 + 1) * 2


def test_what_no_goal_and_no_limit_needs_is_not_counted():
    b = GraphBuilder(space_of(9, 4))
    used = b.usage(Scope.identity(b.space.containers), np.arange(1.0, 10.0))
    b.constrain(b.affine([(used, 1.0)], -30.0), spec="room")
    groups = Partition.from_single("group", Axis("group", 3), np.arange(9) % 3)
    b.node(Total(ROWS), b.group_usage(groups, Scope.identity(b.space.containers), np.ones(9), "after"))
    assert model_entries(b.build()) == 9 * 5 * 2
