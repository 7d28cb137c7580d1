"""Kernels against the reference evaluation: every operation, every shape of move."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import assignments, graphs

from models.graph import evaluate
from solvers.search.flatten import flatten
from solvers.search.layout import MOVES, ONE, OUTCOMES, THREE, TWO
from solvers.search.state import assignment_of, make_state

COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def random_move(rng, model, state):
    """A move of random shape between places that are allowed, or None."""
    n, m = model.n_objects, model.n_containers
    o = int(rng.integers(n))
    a = int(state.assignment[o])

    def place(who):
        return int(rng.integers(m + 1 if model.may_leave[who] else m))

    shape = int(rng.integers(3))
    if shape == ONE:
        b = place(o)
        return None if b == a else (ONE, o, a, b, n, m)
    p = int(rng.integers(n))
    b = int(state.assignment[p])
    c = a if shape == TWO else place(p)
    if a == b or c == b or (shape == THREE and c == a):
        return None
    if (b == m and not model.may_leave[o]) or (c == m and not model.may_leave[p]):
        return None
    return shape, o, a, b, p, c


def moved(assignment, move, n_containers):
    shape, o, _, b, p, c = move
    out = assignment.copy()
    out[o] = b if b < n_containers else -1
    if shape != ONE:
        out[p] = c if c < n_containers else -1
    return out


def total(graph, weights, assignment):
    return float(weights @ evaluate(graph, assignment).tiers)


def close(x, y):
    return x == pytest.approx(y, rel=1e-9, abs=1e-7)


@settings(COMMON, max_examples=400)
@given(st.data())
def test_the_delta_of_a_move_is_the_difference_of_evaluations(data):
    from solvers.search.kernels.moves import try_move

    graph = data.draw(graphs(max_objects=5, max_containers=4))
    start = data.draw(assignments(graph.space))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**20)))
    model = flatten(graph, start)
    tier_weights = np.array([1.0, 0.25])[: model.n_tiers]
    state = make_state(model, model.weighted(tier_weights, 0.0), start)
    now, here = total(graph, tier_weights, start), start
    for step in range(12):
        move = random_move(rng, model, state)
        if move is None:
            continue
        after = moved(here, move, model.n_containers)
        expected = total(graph, tier_weights, after) - now
        keep = bool(step % 2)
        found = try_move(*move, np.inf, np.inf, keep, *state.arguments(free=True))
        assert close(found, expected), move
        if keep:
            here, now = after, now + expected
        assert np.array_equal(assignment_of(state), here)


@settings(COMMON, max_examples=300)
@given(st.data())
def test_from_a_feasible_start_a_move_is_allowed_exactly_when_it_stays_feasible(data):
    from solvers.search.kernels.moves import try_move

    graph = data.draw(graphs(max_objects=5, max_containers=4))
    start = data.draw(assignments(graph.space))
    if not evaluate(graph, start).feasible:
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 2**20)))
    model = flatten(graph, start)
    state = make_state(model, model.weighted(np.ones(model.n_tiers), 1.0), start)
    for _ in range(12):
        move = random_move(rng, model, state)
        if move is None:
            continue
        found = try_move(*move, np.inf, np.inf, False, *state.arguments())
        after = moved(start, move, model.n_containers)
        assert (found < np.inf) == evaluate(graph, after).feasible, move


@settings(COMMON, max_examples=100)
@given(st.data())
def test_after_many_moves_the_state_is_that_of_a_fresh_one(data):
    from solvers.search.kernels.anneal import anneal

    graph = data.draw(graphs(max_objects=6, max_containers=4))
    start = data.draw(assignments(graph.space))
    model = flatten(graph, start)
    tier_weights = np.array([1.0, 0.25])[: model.n_tiers]
    weights = model.weighted(tier_weights, 3.0)
    state = make_state(model, weights, start)
    totals = np.zeros(2)
    n = model.n_objects
    order = rank = np.arange(n, dtype=np.int32)
    counts = np.zeros(MOVES * OUTCOMES, np.int64)
    shares = np.linspace(65536 / MOVES, 65536, MOVES).astype(np.int64)
    anneal(
        2000, 5.0, shares, 0, 4, model.movable, model.movable, order, rank, model.may_leave,
        -np.log((np.arange(65536) + 0.5) / 65536), np.array([7], np.uint64), counts, totals,
        np.empty(0), bool(model.may_leave.any()), model.n_containers,
        *state.arguments(),
    )  # fmt: skip
    end = assignment_of(state)
    fresh = make_state(model, weights, end)
    for name in ("X", "cost", "group_count", "value"):
        assert getattr(state, name) == pytest.approx(getattr(fresh, name), rel=1e-9, abs=1e-6), name
    if evaluate(graph, start).feasible:
        assert evaluate(graph, end).feasible
        expected = total(graph, tier_weights, end) - total(graph, tier_weights, start)
        assert totals[0] == pytest.approx(expected, rel=1e-9, abs=1e-5)
