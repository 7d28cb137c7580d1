"""A restricted graph means what the whole graph means with everything else held where it is."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import all_assignments, assignments, graphs

from models.graph import evaluate
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
    part = restrict(incumbent, np.array(draw(members), np.int64), np.array(draw(places), np.int64))
    return incumbent, part


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
        if now.feasible:
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
