"""Conflicts: minimal, and down to the element."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from strategies import all_assignments, graphs

from models.graph import HARD, Evaluator
from models.graph.cells import as_dense
from solvers import SolveOptions, solve
from solvers.explain import find_conflict


def test_the_three_limits_that_contradict_and_no_other(overfull):
    conflict = find_conflict(overfull)
    assert conflict.minimal
    assert [str(limit) for limit in conflict.limits] == [
        "Capacity gpus on rack-2",
        "Capacity gpus on rack-3",
        "Drain rack-1 on rack-1",
    ]
    assert conflict.specs == ("Capacity", "Drain")


def test_no_conflict_in_a_feasible_problem(overfull):
    feasible = replace(overfull, constraints=overfull.constraints[:1])
    assert find_conflict(feasible) is None


def test_a_time_limit_is_admitted(overfull):
    conflict = find_conflict(overfull, SolveOptions(time_limit_s=1e-9))
    assert conflict is None or not conflict.minimal


def _hold(graph, limits):
    """Whether some assignment holds all of `limits`, by going through all of them."""
    for assignment in all_assignments(graph.space):
        evaluator = Evaluator(graph, assignment)
        if all(as_dense(evaluator.value(x.constraint.node))[x.element] <= 1e-6 for x in limits):
            return True
    return False


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=3, max_containers=2, depth=2))
def test_conflicts_contradict_and_each_part_is_needed(graph):
    hard = [c for c in graph.constraints if c.enforcement == HARD]
    conflict = find_conflict(graph)
    infeasible = solve(graph).status == "infeasible"
    assert (conflict is not None) == infeasible
    assert infeasible <= bool(hard)
    if conflict is None:
        return
    assert conflict.minimal
    assert not _hold(graph, conflict.limits)
    for left_out in range(len(conflict.limits)):
        rest = [x for i, x in enumerate(conflict.limits) if i != left_out]
        assert _hold(graph, rest)


def test_pigeons():
    # three objects that exclude each other in two containers: all pairs are needed
    from models.graph import AssignmentSpace, Axis, GraphBuilder, Partition, Scope

    n = 3
    space = AssignmentSpace(Axis("pigeon", n), Axis("hole", 2), np.zeros(n, np.int32), np.zeros(n, bool))
    pairs = list(itertools.combinations(range(n), 2))
    groups = Partition.from_lists(
        "pair", Axis("pair", 3), [[i for i, p in enumerate(pairs) if o in p] for o in range(n)]
    )
    b = GraphBuilder(space)
    both = b.group_usage(groups, Scope.identity(space.containers), np.ones(n))
    b.constrain(b.affine([(both, 1.0)], -1.0), spec="Exclusive")
    conflict = find_conflict(b.build())
    assert conflict.minimal
    assert len(conflict.limits) == 6
