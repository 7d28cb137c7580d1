"""Interchangeable objects: found, and split with the fewest moves."""

from __future__ import annotations

import numpy as np

from models.graph import AssignmentSpace, Axis, GraphBuilder, Partition, Scope
from solvers.milp.classes import find_classes, split


def builder(initial, may=None):
    n = len(initial)
    loose = np.zeros(n, bool) if may is None else np.array(may)
    space = AssignmentSpace(Axis("o", n), Axis("c", 3), np.array(initial, np.int32), loose)
    return GraphBuilder(space)


def test_weights_groups_and_permission_tell_objects_apart():
    b = builder([0, 0, 0, 0, 0], [False, False, False, False, True])
    scope = Scope.identity(b.space.containers)
    b.constrain(b.usage(scope, [1.0, 1.0, 2.0, 1.0, 1.0]))
    groups = Partition.from_single("g", Axis("g", 2), [0, 0, 0, 1, 0])
    b.constrain(b.group_usage(groups, scope, np.ones(5)))
    assert find_classes(b.build()).of.tolist() == [0, 0, 1, 2, 3]


def test_the_start_matters_only_to_leaves_that_look_at_it():
    b = builder([0, 1, 2])
    b.constrain(b.usage(Scope.identity(b.space.containers), np.ones(3)))
    assert find_classes(b.build()).n == 1
    b.minimize(b.moved_amount([1.0, 1.0, 0.0]))
    # the third never counts as moved, so its start does not matter; the others differ in theirs
    assert find_classes(b.build()).n == 3
    b = builder([0, 0, 0])
    b.minimize(b.moved_amount())
    assert find_classes(b.build()).n == 1


def test_splitting_keeps_objects_where_they_are():
    b = builder([2, 0, 1, 0])
    b.constrain(b.usage(Scope.identity(b.space.containers), np.ones(4)))
    classes = find_classes(b.build())
    out = split(b.space, classes, np.array([0, 0, 2, 2], np.int32))
    assert sorted(out.tolist()) == [0, 0, 2, 2]
    assert int((out != b.space.initial).sum()) == 1
