"""A worker after very many moves, and what it proposes."""

import numpy as np
import pytest

from models.graph import AssignmentSpace, Axis, GraphBuilder, Partition, Scope, evaluate
from models.graph.ops import PositivePart, Power, Presence
from solvers.search import layout
from solvers.search.flatten import flatten
from solvers.search.state import make_state
from solvers.search.worker import MIX, Worker, similarity


@pytest.fixture(scope="module")
def graph():
    """Sizes that are no whole numbers, a power, counts with a limit and a cost, and presence."""
    rng = np.random.default_rng(5)
    n, m = 240, 12
    space = AssignmentSpace(
        Axis("object", n), Axis("host", m), np.arange(n, dtype=np.int32) % m, np.zeros(n, bool)
    )
    g = GraphBuilder(space)
    size = rng.uniform(0.1, 3.7, n)
    used = g.usage(g.container_scope, size)
    g.constrain(g.affine([(used, 1.0)], -1.35 * size.sum() / m), spec="capacity")
    g.minimize(g.total(g.node(Power(1.3), used)))
    groups = Partition.from_single("group", Axis("group", n // 4), np.arange(n) // 4)
    racks = Scope.from_single("rack", Axis("rack", 4), np.arange(m) % 4)
    count = g.group_usage(groups, racks, np.ones(n))
    g.constrain(g.affine([(count, 1.0)], -3.0), spec="count")
    g.minimize(g.total(g.node(PositivePart(), g.affine([(count, 1.0)], -1.0))), weight=0.3)
    g.minimize(g.total(g.node(Presence(), count)), weight=0.1)
    return g.build()


def worker_of(graph, seed=1):
    model = flatten(graph, graph.space.initial)
    return Worker(model, model.weighted(np.ones(1), 1.0), graph.space.initial, *similarity(model), seed)


def test_after_a_million_accepted_moves_nothing_has_drifted(graph):
    worker = worker_of(graph)
    worker.mix = MIX
    while worker.counts.reshape(-1, layout.OUTCOMES)[:, layout.ACCEPTED].sum() < 1_000_000:
        worker.run(5.0, 200_000)
    end = worker.assignment()
    fresh = make_state(worker.model, worker.state.G, end)
    for name in ("X", "cost", "counts", "value"):
        assert worker.state.part(name) == pytest.approx(fresh.part(name), rel=1e-9, abs=1e-8), name
    first, last = evaluate(graph, graph.space.initial), evaluate(graph, end)
    assert last.feasible
    assert worker.cost == pytest.approx(last.tiers[0] - first.tiers[0], rel=1e-7, abs=1e-5)


def test_moves_of_every_kind_are_made(graph):
    worker = worker_of(graph)
    for kind in MIX:
        worker.mix = {kind: 1.0}
        worker.counts[:] = 0
        worker.run(20.0, 20_000)
        accepted = worker.counts.reshape(-1, layout.OUTCOMES)[:, layout.ACCEPTED]
        assert accepted[kind] > 0, kind
        assert accepted.sum() == accepted[kind]
        worker.mix = {layout.SHIFT: 1.0}
        worker.run(20.0, 2_000)


def test_rare_kinds_lose_their_share_where_they_bring_nothing(graph):
    worker = worker_of(graph)
    worker.run(0.5, 300_000)
    before = worker.mix[layout.GATHER]
    worker.adapt()
    assert 0 < worker.mix[layout.GATHER] < before
    assert worker.mix[layout.SHIFT] == MIX[layout.SHIFT]


def test_objects_that_are_pulled_stay_nearer_to_home_and_cost_what_they_cost(graph):
    home, away = graph.space.initial, []
    for pull in (0.0, 4.0):
        worker = worker_of(graph)
        worker.pull = pull
        seen = []
        for _ in range(20):
            worker.run(20.0, 20_000)
            seen.append(np.count_nonzero(worker.assignment() != home))
        away.append(np.mean(seen))
        first, last = evaluate(graph, home), evaluate(graph, worker.assignment())
        assert last.feasible
        assert worker.cost == pytest.approx(last.tiers[0] - first.tiers[0], rel=1e-7, abs=1e-5)
    assert away[1] < 0.8 * away[0]


def test_the_random_numbers_of_one_seed_are_no_later_part_of_those_of_another(graph):
    from solvers.search.kernels.rng import next64

    streams = [
        [int(next64(rng)) for _ in range(2_000)] for rng in (worker_of(graph, s).rng for s in (1, 2, 3))
    ]
    assert len(set().union(*streams)) == 6_000
