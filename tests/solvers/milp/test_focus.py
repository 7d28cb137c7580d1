"""Solving over the columns that matter gives the optimum over all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import all_assignments, graphs

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope, evaluate
from models.graph.ops import PositivePart, Square
from solvers import SolveOptions
from solvers.clock import Clock
from solvers.milp import focus
from solvers.milp.backends import backend
from solvers.milp.focus import Focus
from solvers.milp.solve import solve_milp

HIGHS = backend("highs")


def exact(graph, patch, smallest, **limits):
    patch.setattr(focus, "SMALLEST", smallest)
    return solve_milp(graph, SolveOptions(gap=1e-9, **limits), HIGHS)


def balance(weights, homes, n_hosts, *, curved):
    """Loads near each other, then few moves: the second tier has few columns left."""
    n = len(weights)
    space = AssignmentSpace(Axis("o", n), Axis("h", n_hosts), np.asarray(homes, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.asarray(weights, float))
    if curved:
        b.minimize(b.total(b.node(Square(), used)), spec="balance")
    else:
        level = float(np.ceil(sum(weights) / n_hosts))
        b.minimize(b.total(b.node(PositivePart(), b.affine([(used, 1.0)], -level))), spec="balance")
    b.minimize(b.moved_amount(), tier=1, spec="moves")
    return b.build()


def assert_same(found, whole):
    assert found.status == whole.status
    assert [t.value for t in found.tiers] == pytest.approx([t.value for t in whole.tiers], rel=1e-6, abs=1e-6)


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_same_optimum_with_and_without_cores_on_every_operation(graph):
    with pytest.MonkeyPatch.context() as patch:
        whole = exact(graph, patch, 10**9)
        assert_same(exact(graph, patch, 0), whole)
        patch.setattr(focus, "CORE_PER_CLASS", 2)  # with a time limit cores that prove only a part are tried
        assert_same(exact(graph, patch, 0, time_limit_s=60.0), whole)


# derandomised: branch and bound of an unlucky draw takes longer than a test may
@settings(deadline=None, max_examples=8, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.integers(1, 9), min_size=4, max_size=6),
    st.integers(2, 4),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_same_optimum_of_balances(weights, n_hosts, curved, random):
    graph = balance(weights, [random.randrange(n_hosts) for _ in weights], n_hosts, curved=curved)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(focus, "CORE_PER_CLASS", 2)
        whole = exact(graph, patch, 10**9)
        assert whole.status == "optimal"
        assert_same(exact(graph, patch, 0, time_limit_s=60.0), whole)


@pytest.fixture
def small_cores(monkeypatch):
    monkeypatch.setattr(focus, "SMALLEST", 0)
    monkeypatch.setattr(focus, "CORE_PER_CLASS", 2)


@pytest.mark.usefixtures("small_cores")
@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_what_leaves_a_core_is_no_better_than_it_says(graph):
    feasible = [a for a in all_assignments(graph.space) if evaluate(graph, a).feasible]
    if not feasible or not graph.tiers:
        return
    start = feasible[0]
    values = evaluate(graph, start).tiers
    look = Focus(graph, Clock(SolveOptions()))
    look.begin(0, start, values)
    core = look.core(0, float(values[0]), 0.0)
    if core is None:
        return
    of = look._classes.of
    for a in feasible:
        value = float(evaluate(graph, a).tiers[0])
        slack = 1e-6 * max(1.0, abs(value), abs(float(values[0])))
        if value < values[0] - slack and not core.allowed[of, a].all():
            assert value >= core.beyond - slack


def test_a_core_is_a_part_that_holds_the_optimum_and_the_assignment_is_added(monkeypatch):
    monkeypatch.setattr(focus, "SMALLEST", 0)
    monkeypatch.setattr(focus, "CORE_PER_CLASS", 2)
    graph = balance([8, 7, 6, 5, 4, 3, 2, 1], [0, 1, 2, 3, 3, 2, 1, 0], 4, curved=True)
    start = np.array([0, 1, 2, 3, 0, 1, 2, 3], np.int32)
    look = Focus(graph, Clock(SolveOptions()))
    assert look.begin(0, start, evaluate(graph, start).tiers) == pytest.approx(4 * 9.0**2)
    core = look.core(0, 4 * 9.0**2 + 100.0, 1.0)
    assert core is not None
    assert core.allowed.shape == (8, 5)
    assert not core.allowed.all()
    widened = look.with_assignment(core.allowed, start)
    assert widened[look._classes.of, start].all()
    assert widened.sum() <= core.allowed.sum() + start.size
