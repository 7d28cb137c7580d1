"""The decomposition never claims too much, and is tight where theory says so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import all_assignments, graphs

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope, evaluate
from models.graph.ops import PositivePart, Square
from solvers.bounds.decomposed import decomposed_bound
from solvers.bounds.dual import Dual
from solvers.bounds.places import Places
from solvers.bounds.separable import hard_rows, separated
from solvers.clock import Clock
from solvers.milp.classes import find_classes
from solvers.options import SolveOptions


def bound_of(graph, tier, assignment, steps=60):
    values = evaluate(graph, assignment).tiers.tolist()
    return decomposed_bound(graph, tier, assignment, values, Clock(SolveOptions()), steps=steps)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_no_assignment_has_less_than_its_reduced_costs_say(graph):
    classes = find_classes(graph)
    feasible = [a for a in all_assignments(graph.space) if evaluate(graph, a).feasible]
    if not feasible:
        return
    start = feasible[len(feasible) // 2]
    values = evaluate(graph, start).tiers
    for tier in range(len(graph.tiers)):
        made = bound_of(graph, tier, start, steps=8)
        if made is None:
            continue
        for a in feasible:
            tiers = evaluate(graph, a).tiers
            if np.all(tiers[:tier] <= values[:tier] + 1e-9 * np.maximum(1.0, np.abs(values[:tier]))):
                slack = 1e-6 * max(1.0, abs(tiers[tier]), abs(made.bound))
                least = made.bound + made.reduced[classes.of, a].max(initial=0.0)
                assert least <= tiers[tier] + slack
                assert made.possible(tiers[tier] + slack)[classes.of, a].all()


def squares(weights, n_hosts, limit=None, sizes=None):
    """Σ over hosts of the square of their load, perhaps with a limit on another amount."""
    n = len(weights)
    space = AssignmentSpace(Axis("o", n), Axis("h", n_hosts), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    hosts = Scope.identity(space.containers)
    b.minimize(b.total(b.node(Square(), b.usage(hosts, weights))), spec="balance")
    if limit is not None:
        b.constrain(b.affine([(b.usage(hosts, sizes), 1.0)], -float(limit)), spec="capacity")
    return b.build()


def test_equal_loads_reach_the_square_of_the_mean():
    graph = squares(np.ones(40), 8)
    made = bound_of(graph, 0, np.repeat(np.arange(8), 5).astype(np.int32))
    assert made.bound == pytest.approx(8 * 5.0**2)


def test_whole_amounts_are_not_split():
    # 10 objects on 8 hosts: 6 hosts with one and 2 with two, not 1.25 on each
    graph = squares(np.ones(10), 8)
    made = bound_of(graph, 0, (np.arange(10) % 8).astype(np.int32))
    assert made.bound == pytest.approx(6 * 1 + 2 * 4)


def test_large_objects_are_not_split_either():
    # one of 10 beside eight of 1 on three hosts: 10² + 4² + 4², where the mean alone says 3 · 6²
    graph = squares(np.array([10.0] + [1.0] * 8), 3)
    made = bound_of(graph, 0, np.array([0, 1, 1, 1, 1, 2, 2, 2, 2], np.int32))
    assert made.bound == pytest.approx(132.0, rel=1e-3)


def test_objects_a_limit_keeps_alone_bring_their_own_square():
    # two objects fill a host each and have small loads; the other two share what is left
    graph = squares(np.array([1.0, 1.0, 6.0, 6.0]), 3, limit=8, sizes=np.array([8.0, 8.0, 2.0, 2.0]))
    made = bound_of(graph, 0, np.array([0, 1, 2, 2], np.int32))
    assert made.bound == pytest.approx(1 + 1 + 144, rel=1e-3)


def test_excess_over_limits_is_at_least_that_of_the_sums():
    rng = np.random.default_rng(3)
    n, m = 60, 6
    weights = rng.integers(1, 9, n).astype(float)
    levels = rng.integers(20, 40, m).astype(float)
    space = AssignmentSpace(Axis("o", n), Axis("h", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), weights)
    b.minimize(b.total(b.node(PositivePart(), b.affine([(used, 1.0)], -levels))), spec="load")
    made = bound_of(b.build(), 0, rng.integers(0, m, n).astype(np.int32))
    assert made.bound == pytest.approx(weights.sum() - levels.sum())


def test_a_tier_that_is_pinned_forbids_what_would_make_it_worse():
    # the first tier places everything; then nothing may stay unassigned for the sake of balance
    n, m = 12, 4
    space = AssignmentSpace(Axis("o", n), Axis("h", m), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.ones(n))
    b.minimize(b.affine([(b.total(used), -1.0)]), tier=0, spec="place")
    b.minimize(b.total(b.node(Square(), used)), tier=1, spec="balance")
    graph = b.build()
    placed = (np.arange(n) % m).astype(np.int32)
    assert bound_of(graph, 0, placed).bound == pytest.approx(-12.0)
    assert bound_of(graph, 1, placed).bound == pytest.approx(4 * 9.0, rel=1e-2)


def test_the_first_prices_beside_an_earlier_tier_are_good_ones():
    """Time may end after them; without a price on the first tier nothing would have to be placed."""
    n, hosts = 40, 8
    space = AssignmentSpace(Axis("o", n), Axis("h", hosts), np.full(n, -1, np.int32), np.ones(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.ones(n))
    b.minimize(b.total(used), weight=-1.0, spec="placed")
    b.minimize(b.total(b.node(Square(), used)), tier=1, spec="balance")
    graph = b.build()
    places = Places.of(graph.space, find_classes(graph))
    pin = separated((t.node, t.weight) for t in graph.tiers[0].terms), -float(n)
    form = separated((t.node, t.weight) for t in graph.tiers[1].terms)
    start = np.repeat(np.arange(hosts), n // hosts).astype(np.int32)
    dual = Dual.of(graph, places, form, hard_rows(graph), [pin], start, None)
    values = [dual.value(prices, Clock(SolveOptions())).bound for prices in dual.starts()]
    assert values[0] == pytest.approx(hosts * (n / hosts) ** 2)
    assert values[0] == max(values) > values[-1]
