"""Kernels against the reference evaluation: every operation, every shape of move."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import assignments, graphs, often

from models.graph import evaluate
from solvers.search.flatten import flatten
from solvers.search.layout import FREE, MANY, MAX_PARTS, ONE, THREE, TWO
from solvers.search.state import assignment_of, make_state
from solvers.search.worker import MIX, Worker, similarity

COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def random_move(rng, model, state):
    """A move of random shape to allowed places: ((shape, o, a, b, p, c), [(who, from, to)]), or None."""
    n, m = model.n_objects, model.n_containers
    where = state.part("assignment")
    o = int(rng.integers(n))
    a = int(where[o])

    def place(who):
        return int(rng.integers(m + 1 if model.may_leave[who] else m))

    shape = int(rng.integers(4))
    if shape == ONE:
        b = place(o)
        return None if b == a else ((ONE, o, a, b, n, m), [(o, a, b)])
    if shape == MANY:
        several = rng.permutation(n)[: int(rng.integers(1, MAX_PARTS))]
        parts = [(int(who), int(where[who]), place(who)) for who in several]
        parts = [part for part in parts if part[1] != part[2]]
        if not parts:
            return None
        state.part("parts")[: 3 * len(parts) + 1] = [len(parts), *np.array(parts).reshape(-1)]
        return (MANY, o, a, a, n, m), parts
    p = int(rng.integers(n))
    b = int(where[p])
    c = a if shape == TWO else place(p)
    if a == b or c == b or (shape == THREE and c == a):
        return None
    if (b == m and not model.may_leave[o]) or (c == m and not model.may_leave[p]):
        return None
    return (shape, o, a, b, p, c), [(o, a, b), (p, b, c)]


def moved(assignment, parts, n_containers):
    out = assignment.copy()
    for who, _, there in parts:
        out[who] = there if there < n_containers else -1
    return out


def total(graph, weights, assignment):
    return float(weights @ evaluate(graph, assignment).tiers)


def close(x, y):
    return x == pytest.approx(y, rel=1e-9, abs=1e-7)


@settings(COMMON, max_examples=often(400))
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
        move, parts = move
        after = moved(here, parts, model.n_containers)
        expected = total(graph, tier_weights, after) - now
        keep = bool(step % 2)
        found = try_move(*move, np.inf, np.inf, FREE, keep, *state.arrays)
        assert close(found, expected), move
        if keep:
            here, now = after, now + expected
        assert np.array_equal(assignment_of(state), here)


@settings(COMMON, max_examples=often(300))
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
        move, parts = move
        found = try_move(*move, np.inf, np.inf, 0, False, *state.arrays)
        after = moved(start, parts, model.n_containers)
        assert (found < np.inf) == evaluate(graph, after).feasible, move


@settings(COMMON, max_examples=often(100))
@given(st.data())
def test_after_many_moves_the_state_is_that_of_a_fresh_one(data):
    graph = data.draw(graphs(max_objects=6, max_containers=4))
    start = data.draw(assignments(graph.space))
    model = flatten(graph, start)
    tier_weights = np.array([1.0, 0.25])[: model.n_tiers]
    prices = model.weighted(tier_weights, 3.0)
    worker = Worker(model, prices, start, *similarity(model), seed=7)
    worker.mix = dict.fromkeys(MIX, 1.0)
    worker.mode = data.draw(st.sampled_from([0, FREE]))
    worker.run(5.0, 2000)
    end = worker.assignment()
    fresh = make_state(model, prices, end)
    for name in ("X", "cost", "counts", "value"):
        assert worker.state.part(name) == pytest.approx(fresh.part(name), rel=1e-9, abs=1e-6), name
    if worker.mode == 0 and evaluate(graph, start).feasible:
        assert evaluate(graph, end).feasible
        expected = total(graph, tier_weights, end) - total(graph, tier_weights, start)
        assert worker.cost == pytest.approx(expected, rel=1e-9, abs=1e-5)
