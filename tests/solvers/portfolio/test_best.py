"""The best assignment of several finders."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from models.graph import AssignmentSpace, Axis, GraphBuilder, evaluate
from models.graph.ops import Square
from solvers.portfolio.best import Best


def even(n=6, m=3, room=4.0):
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.full(n, -1, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    used = b.usage(b.container_scope, np.ones(n))
    b.constrain(b.affine([(used, 1.0)], -room), spec="room")
    b.minimize(b.total(b.node(Square(), used)), spec="even")
    return b.build()


def test_first_placed_then_allowed_then_good():
    graph = even()
    best = Best(graph, graph.space.initial)
    assert not best.assigned
    assert best.offer(np.zeros(6, np.int32), "one")
    assert best.assigned
    assert not best.feasible
    assert best.offer(np.array([0, 0, 0, 0, 1, 1], np.int32), "two")
    assert best.feasible
    assert best.tiers == (20.0,)
    assert not best.offer(np.array([0, 0, 0, 0, 1, 1], np.int32), "same")
    assert not best.offer(np.zeros(6, np.int32), "worse")
    assert best.offer(np.array([0, 0, 1, 1, 2, 2], np.int32), "three")
    assert best.source == "three"


def test_offers_from_threads_leave_the_least():
    graph = even(12, 4, 12.0)
    best = Best(graph, np.zeros(12, np.int32))
    rng = np.random.default_rng(0)
    offers = [rng.integers(0, 4, 12, dtype=np.int32) for _ in range(200)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda a: best.offer(a, "x"), offers))
    least = min(float((np.bincount(a, minlength=4) ** 2).sum()) for a in offers)
    assert best.tiers == (least,)


def test_others_hear_only_of_what_is_feasible_and_better():
    graph = even()
    best = Best(graph, np.zeros(6, np.int32))
    assert best.better_than((100.0,)) is None  # six on one host, where four have room
    best.offer(np.array([0, 0, 0, 0, 1, 1], np.int32), "two")
    assert best.better_than((20.0,)) is None
    assert best.better_than((12.0,)) is None
    assert np.array_equal(best.better_than((21.0,)), [0, 0, 0, 0, 1, 1])


def test_known_values_are_compared_like_measured_ones():
    graph = even()
    best = Best(graph, np.zeros(6, np.int32))
    even_now = np.array([0, 0, 1, 1, 2, 2], np.int32)
    known = evaluate(graph, even_now)
    assert best.offer(even_now, "known", known)
    assert best.feasible
    assert best.tiers == (12.0,)
    assert best.evaluation is known
    other = np.array([0, 0, 0, 1, 1, 2], np.int32)
    assert not best.offer(other, "known", evaluate(graph, other))
    assert best.evaluation is known
