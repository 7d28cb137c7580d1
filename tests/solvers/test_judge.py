"""Claims of solvers are checked against the reference evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import SolverFailed
from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope
from solvers.judge import judged
from solvers.result import relative_gap


@pytest.fixture
def graph():
    """Two objects of 1 that cost 1 and 2 on the two hosts, each of which holds one."""
    space = AssignmentSpace(Axis("o", 2), Axis("c", 2), np.zeros(2, np.int32), np.zeros(2, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.ones(2))
    b.constrain(b.affine([(used, 1.0)], -1.0), spec="capacity")
    b.minimize(b.total(b.affine([(used, [1.0, 2.0])])))
    return b.build()


def judge(graph, assignment, **claims):
    return judged(graph, np.array(assignment, np.int32), solver="test", gap=1e-6, **claims)


def test_statuses(graph):
    assert judge(graph, [0, 1], bounds=[3.0]).status == "optimal"
    assert judge(graph, [0, 1], bounds=[2.0]).status == "feasible"
    assert judge(graph, [0, 1]).status == "feasible"
    assert judge(graph, [0, 1], bounds=[3.0], cancelled=True).status == "cancelled"
    assert judged(graph, None, solver="test", gap=0.0, infeasible=True).status == "infeasible"
    assert judged(graph, None, solver="test", gap=0.0).status == "unknown"


def test_a_broken_assignment_is_not_returned(graph):
    result = judge(graph, [0, 0], bounds=[2.0])
    assert (result.status, result.assignment, result.tiers) == ("unknown", None, ())
    assert result.constraints[0].broken == 1


def test_contradictions_are_failures(graph):
    with pytest.raises(SolverFailed, match="at least 5"):
        judge(graph, [0, 1], bounds=[5.0])
    with pytest.raises(SolverFailed, match="infeasible"):
        judge(graph, [0, 1], infeasible=True)


def test_gap():
    assert relative_gap(10.0, 9.0) == pytest.approx(0.1)
    assert relative_gap(-9.0, -10.0) == pytest.approx(0.1)
    assert relative_gap(0.0, 0.0) == 0.0
    assert relative_gap(None, 1.0) is None
    assert relative_gap(1.0, 2.0) == 0.0
