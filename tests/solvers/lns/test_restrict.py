"""A restricted graph means what the whole graph means with everything else held where it is."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import all_assignments, assignments, graphs

from models.graph import AssignmentSpace, Axis, GraphBuilder, evaluate
from models.graph.ops import Square
from solvers import SolveOptions, solve
from solvers.lns.incumbent import Incumbent
from solvers.lns.restrict import restrict


def few(n):
    return settings(deadline=None, max_examples=n, suppress_health_check=list(HealthCheck))


@st.composite
def parts(draw):
    """A graph, an assignment of it, and a restriction there."""
    graph = draw(graphs(max_objects=4, max_containers=3))
    now = draw(assignments(graph.space))
    members = st.lists(st.integers(0, graph.space.n_objects - 1), min_size=1, unique=True)
    places = st.lists(st.integers(0, graph.space.n_containers - 1), unique=True)
    incumbent = Incumbent(graph, now)
    freed = np.array(draw(members), np.int64), np.array(draw(places), np.int64)
    return incumbent, restrict(incumbent, *freed, homes=draw(st.booleans()))


def kept_out(part, inner):
    """Whether an object is at another one's home that is in the part for that one only."""
    return any(c.constraint.spec == "part" and c.broken for c in evaluate(part.graph, inner).constraints)


def whole(incumbent, part, inner):
    out = incumbent.assignment.copy()
    out[part.objects] = part.containers_of(inner)
    return out


@few(40)
@given(parts())
def test_tiers_and_limits_are_those_of_the_whole(drawn):
    incumbent, part = drawn
    graph = incumbent.graph
    now = evaluate(graph, incumbent.assignment)
    for inner in all_assignments(part.graph.space):
        assignment = whole(incumbent, part, inner)
        if np.any((assignment < 0) & ~graph.space.may_be_unassigned):
            continue
        expected, found = evaluate(graph, assignment), evaluate(part.graph, inner)
        np.testing.assert_allclose(found.tiers, expected.tiers, rtol=1e-9, atol=1e-9)
        if now.feasible and not kept_out(part, inner):
            assert found.feasible == expected.feasible


@few(40)
@given(parts(), st.data())
def test_absorbed_values_are_those_of_a_new_evaluation(drawn, data):
    incumbent, part = drawn
    inner = data.draw(assignments(part.graph.space))
    if np.any((part.containers_of(inner) < 0) & ~incumbent.graph.space.may_be_unassigned[part.objects]):
        return
    after = Incumbent(incumbent.graph, whole(incumbent, part, inner))
    incumbent.absorb(part, inner)
    assert np.array_equal(incumbent.assignment, after.assignment)
    for node in incumbent.nodes:
        mine, other = (i.value(node) for i in (incumbent, after))
        dense = [v if isinstance(v, np.ndarray) else v.dense() for v in (mine, other)]
        np.testing.assert_allclose(*dense, rtol=1e-9, atol=1e-9)


def test_homes_are_open_to_their_own_objects_only():
    space = AssignmentSpace(Axis("o", 3), Axis("c", 4), np.array([0, 1, 2], np.int32), np.zeros(3, bool))
    b = GraphBuilder(space)
    b.minimize(b.total(b.node(Square(), b.usage(b.container_scope, [1.0, 2.0, 3.0]))))
    incumbent = Incumbent(b.build(), np.array([3, 3, 2], np.int32))
    part = restrict(incumbent, np.array([0, 1]), np.array([], np.int64), homes=True)
    assert part.containers.tolist() == [0, 1, 3]
    open_to = {tuple(x) for x in all_assignments(part.graph.space) if evaluate(part.graph, x).feasible}
    assert open_to == {(0, 1), (0, 2), (2, 1), (2, 2)}


@few(10)
@given(graphs(max_objects=3, max_containers=3))
def test_everything_freed_is_the_whole_problem(graph):
    everything = np.arange(graph.space.n_objects), np.arange(graph.space.n_containers)
    incumbent = Incumbent(graph, graph.space.initial)
    if not evaluate(graph, graph.space.initial).feasible:
        return
    expected = solve(graph, SolveOptions(solver="highs"))
    found = solve(restrict(incumbent, *everything).graph, SolveOptions(solver="highs"))
    assert expected.status == found.status == "optimal"
    np.testing.assert_allclose(
        [t.value for t in found.tiers], [t.value for t in expected.tiers], rtol=1e-5, atol=1e-5
    )
