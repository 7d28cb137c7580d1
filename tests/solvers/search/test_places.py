"""Containers closed to an object: against every assignment there is, and against the kernels."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from strategies import all_assignments, graphs, often

from models.graph import AssignmentSpace, Axis, DynamicWeights, GraphBuilder, Partition, Scope, evaluate
from models.graph.ops import Square
from solvers.search import layout, places
from solvers.search.flatten import flatten
from solvers.search.places import open_places
from solvers.search.worker import Worker, similarity

COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck))


def every_table(model):
    """All tables of the model by name, as flattening passes them on."""
    names = (*layout.IN_H, *layout.IN_J, *layout.IN_F)
    return {name: model.tables[name] for name in names}


@st.composite
def limited(draw):
    """Limits that may close places: capacities after and during, places avoided, counts of 0."""
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 4))

    def numbers(size, low, high):
        return np.array(draw(st.lists(st.integers(low, high), min_size=size, max_size=size)), float)

    initial = numbers(n, -1, m - 1).astype(np.int32)
    may = (initial < 0) | (numbers(n, 0, 1) > 0)
    space = AssignmentSpace(Axis("object", n), Axis("container", m), initial, may)
    g = GraphBuilder(space)
    racks = Scope.from_single("rack", Axis("rack", 2), numbers(m, -1, 1).astype(int))
    least = draw(st.sampled_from([0, 0, -2]))
    for counted in ("after", "during", "new"):
        if draw(st.booleans()):
            scope = draw(st.sampled_from([g.container_scope, racks]))
            used = g.usage(scope, numbers(n, least, 5), counted=counted)
            g.constrain(g.affine([(used, 1.0)], -numbers(scope.items.size, 0, 8)), spec="capacity")
    if draw(st.booleans()):
        table = numbers(n * m, 0, 2).reshape(n, m)
        rows = numbers(n, -1, n - 1).astype(np.int32)
        avoided = DynamicWeights(numbers(n, 0, 1), rows, sparse.csr_array(table))
        g.constrain(g.affine([(g.usage(g.container_scope, avoided), 1.0)], -1.0), spec="avoid")
    if draw(st.booleans()):
        groups = Partition.from_single("group", Axis("group", 2), numbers(n, -1, 1).astype(int))
        count = g.group_usage(groups, racks, np.ones(n))
        shape = draw(st.sampled_from([(1, 1), (2, 1), (1, 2), (2, 2)]))
        g.constrain(
            g.affine([(count, 1.0)], -numbers(shape[0] * shape[1], 0, 2).reshape(shape)), spec="count"
        )
    g.minimize(g.moved_amount())
    return g.build()


@settings(COMMON, max_examples=often(150))
@given(limited())
def test_no_assignment_that_holds_all_limits_has_an_object_where_it_is_closed(graph):
    n, m = graph.space.n_objects, graph.space.n_containers
    open_ = open_places(every_table(flatten(graph, graph.space.initial)), np.arange(n), m)
    for assignment in all_assignments(graph.space):
        if evaluate(graph, assignment).feasible:
            here = np.flatnonzero(assignment >= 0)
            assert open_[here, assignment[here]].all()


@settings(COMMON, max_examples=often(100))
@given(st.data())
def test_the_same_holds_with_every_operation(data):
    graph = data.draw(graphs(max_objects=3, max_containers=3))
    n, m = graph.space.n_objects, graph.space.n_containers
    open_ = open_places(every_table(flatten(graph, graph.space.initial)), np.arange(n), m)
    for assignment in all_assignments(graph.space):
        if evaluate(graph, assignment).feasible:
            here = np.flatnonzero(assignment >= 0)
            assert open_[here, assignment[here]].all()


@settings(COMMON, max_examples=often(100))
@given(st.data())
def test_capacities_and_avoided_places_are_all_seen(data):
    """Objects that may all be nowhere: closed is exactly where one cannot be even by itself."""
    n, m = 3, data.draw(st.integers(1, 5))
    size = np.array(data.draw(st.lists(st.integers(0, 5), min_size=n, max_size=n)), float)
    room = np.array(data.draw(st.lists(st.integers(0, 5), min_size=m, max_size=m)), float)
    avoided = np.array(data.draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))).reshape(n, m)
    space = AssignmentSpace(
        Axis("object", n), Axis("container", m), np.full(n, -1, np.int32), np.ones(n, bool)
    )
    g = GraphBuilder(space)
    g.constrain(g.affine([(g.usage(g.container_scope, size), 1.0)], -room), spec="capacity")
    table = DynamicWeights(np.zeros(n), np.arange(n, dtype=np.int32), sparse.csr_array(avoided.astype(float)))
    g.constrain(g.usage(g.container_scope, table), spec="avoid")
    g.minimize(g.moved_amount())
    graph = g.build()
    open_ = open_places(every_table(flatten(graph, space.initial)), np.arange(n), m)
    for o in range(n):
        for c in range(m):
            alone = np.full(n, -1, np.int32)
            alone[o] = c
            assert open_[o, c] == evaluate(graph, alone).feasible


@settings(COMMON, max_examples=often(100))
@given(graph=limited(), seed=st.integers(0, 2**20))
def test_the_kernels_refuse_what_is_closed(graph, seed):
    """From any assignment that holds all limits, for a move of one object or an exchange of two."""
    from solvers.search.kernels.moves import try_move

    start = graph.space.initial
    if not evaluate(graph, start).feasible:
        return
    model = flatten(graph, start)
    n, m = model.n_objects, model.n_containers
    worker = Worker(model, model.weighted(np.ones(1), 1.0), start, *similarity(model), seed)
    worker.run(5.0, 50)
    open_ = open_places(every_table(model), np.arange(n), m)
    where = worker.state.part("assignment")
    for o in range(n):
        for c in np.flatnonzero(~open_[o]):
            assert where[o] != c
            shift = (layout.ONE, o, int(where[o]), int(c), n, m)
            assert try_move(*shift, np.inf, np.inf, 0, False, *worker.state.arrays) == np.inf
            for p in np.flatnonzero(where[:n] == c):
                swap = (layout.TWO, o, int(where[o]), int(c), int(p), int(where[o]))
                if where[o] < m:
                    assert try_move(*swap, np.inf, np.inf, 0, False, *worker.state.arrays) == np.inf


def sized(n=400, m=20):
    """Half of the objects are too large for half of the hosts; all start on the last one."""
    large = np.arange(n) % 2 == 0
    size = np.where(large, 10.0, 1.0 + np.arange(n) % 4)
    space = AssignmentSpace(
        Axis("object", n), Axis("host", m), np.full(n, m - 1, np.int32), np.zeros(n, bool)
    )
    g = GraphBuilder(space)
    used = g.usage(g.container_scope, size)
    g.constrain(g.affine([(used, 1.0)], -np.where(np.arange(m) < m // 2, 9.0, size.sum())), spec="capacity")
    g.minimize(g.total(g.node(Square(), used)))
    return g.build(), large


def test_lists_and_bits_say_the_same():
    graph, large = sized()
    model = flatten(graph, graph.space.initial)
    t, m = model.tables, model.n_containers
    words = m // 32 + 1
    bits = t["open_bits"].reshape(-1, words)
    for o in range(model.n_objects):
        listed = t["open"][t["open_ptr"][o] : t["open_ptr"][o + 1]]
        as_bits = [c for c in range(m + 1) if bits[o, c // 32] >> (c % 32) & 1]
        assert listed.tolist() == (list(range(m // 2, m)) if large[o] else [])
        assert as_bits == (listed.tolist() if large[o] else list(range(m + 1)))


def test_objects_are_looked_at_in_parts_with_the_same_result(monkeypatch):
    graph, _ = sized()
    whole = flatten(graph, graph.space.initial).tables
    monkeypatch.setattr(places, "CHUNK", 37 * 20)
    parts = flatten(graph, graph.space.initial).tables
    for name in ("open_ptr", "open", "open_bits"):
        assert whole[name].tobytes() == parts[name].tobytes()


def test_there_are_no_lists_where_little_is_closed_or_the_problem_is_too_large(monkeypatch):
    graph, _ = sized()
    monkeypatch.setattr(places, "CELLS", 100)
    assert flatten(graph, graph.space.initial).tables["open_bits"].size == 0
    monkeypatch.undo()
    monkeypatch.setattr(places, "CLOSED", 0.6)
    assert flatten(graph, graph.space.initial).tables["open_bits"].size == 0


def test_more_proposals_are_allowed_with_lists(monkeypatch):
    graph, _ = sized()
    worker_of = lambda model: Worker(  # noqa: E731
        model, model.weighted(np.ones(1), 1.0), graph.space.initial, *similarity(model), 1
    )
    guided = worker_of(flatten(graph, graph.space.initial))
    monkeypatch.setattr(places, "CELLS", 0)
    blind = worker_of(flatten(graph, graph.space.initial))
    for worker in (guided, blind):
        worker.mix = {layout.SHIFT: 1.0}
        worker.run(1e9, 20_000)
    priced = [w.counts.reshape(-1, layout.OUTCOMES)[layout.SHIFT, layout.PRICED] for w in (guided, blind)]
    assert priced[0] > 1.2 * priced[1]
