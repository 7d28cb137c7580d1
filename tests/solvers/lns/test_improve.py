"""Large-neighbourhood search never gets worse, says the truth, and finds what one part can give."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from strategies import graphs

from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope, evaluate
from models.graph.ops import PositivePart, Square
from solvers import SolveOptions, solve
from solvers.lns.hotness import container_costs
from solvers.lns.improve import Improver
from solvers.lns.incumbent import Incumbent
from solvers.lns.neighbourhoods import KINDS, Chooser


def loaded(n=16, m=4, seed=0):
    """Objects that all start on the first host; goals: little above the mean load, then few moves."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 10, n).astype(float)
    space = AssignmentSpace(Axis("o", n), Axis("c", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    above = b.affine([(b.usage(Scope.identity(space.containers), weights), 1.0)], -np.ceil(weights.sum() / m))
    b.minimize(b.total(b.node(PositivePart(), above)), spec="even")
    b.minimize(b.moved_amount(), tier=1, spec="movement")
    return b.build()


def improver(graph, assignment=None):
    start = graph.space.initial if assignment is None else assignment
    found = []
    made = Improver(Incumbent(graph, start), found.append)
    return made, Chooser(made.incumbent, np.random.default_rng(1)), found


def test_it_gets_better_and_what_it_says_is_true():
    graph = loaded()
    work, chooser, found = improver(graph)
    before = evaluate(graph, graph.space.initial).tiers.tolist()
    for _ in range(12):
        work.step(chooser, SolveOptions(), part_s=1.0)
    last = before
    for tiers in map(list, found):
        assert tiers < last
        last = tiers
    assert found
    np.testing.assert_allclose(evaluate(graph, work.incumbent.assignment).tiers, last)
    assert last[0] == 0.0


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(graphs(max_objects=4, max_containers=3))
def test_never_worse_and_never_better_than_the_optimum(graph):
    start = evaluate(graph, graph.space.initial)
    if not start.feasible or graph.space.n_containers < 2:
        return
    work, chooser, _ = improver(graph)
    for _ in range(3):
        work.step(chooser, SolveOptions(), part_s=5.0)
    mine = evaluate(graph, work.incumbent.assignment)
    assert mine.feasible
    optimum = [t.value for t in solve(graph, SolveOptions(solver="highs")).tiers]
    for start_value, value, best in zip(start.tiers, mine.tiers, optimum, strict=True):
        tolerance = 1e-5 * max(1.0, abs(value))
        assert best - tolerance <= value
        if value < start_value - tolerance:
            break
        assert value <= start_value + tolerance
        if value > best + tolerance:
            break


def test_costs_arise_where_the_load_is():
    graph = loaded()
    where = np.arange(16, dtype=np.int32) % 4
    where[:8] = 2
    costs = container_costs(Incumbent(graph, where), 0)
    assert costs.argmax() == 2
    np.testing.assert_allclose(costs.sum(), evaluate(graph, where).tiers[0])


def test_costs_of_peaks_and_groups():
    space = AssignmentSpace(Axis("o", 4), Axis("c", 3), np.array([0, 0, 1, 2], np.int32), np.zeros(4, bool))
    b = GraphBuilder(space)
    from models.graph import Partition
    from models.graph.ops import Peak

    groups = Partition.from_single("g", Axis("g", 2), [0, 0, 1, 1])
    count = b.group_usage(groups, Scope.identity(space.containers), np.ones(4))
    b.minimize(b.total(b.node(PositivePart(), b.affine([(count, 1.0)], -1.0))), spec="apart")
    b.minimize(b.node(Peak(), b.usage(b.container_scope, [1.0, 1.0, 5.0, 1.0])), tier=1, spec="peak")
    graph = b.build()
    incumbent = Incumbent(graph, graph.space.initial)
    assert container_costs(incumbent, 0).argmax() == 0
    assert container_costs(incumbent, 1).argmax() == 1


def test_parts_have_the_size_asked_for_and_every_kind_comes_up():
    rng = np.random.default_rng(0)
    n, m = 600, 60
    space = AssignmentSpace(
        Axis("o", n), Axis("c", m), rng.integers(0, m, n, dtype=np.int32), np.zeros(n, bool)
    )
    b = GraphBuilder(space)
    from models.graph import Partition

    rack = Scope.from_single("rack", Axis("rack", 6), np.arange(m) % 6)
    groups = Partition.from_single("g", Axis("g", 200), np.arange(n) % 200)
    b.minimize(b.total(b.node(Square(), b.usage(b.container_scope, rng.uniform(1, 2, n)))), spec="even")
    b.constrain(b.affine([(b.group_usage(groups, rack, np.ones(n)), 1.0)], -3.0), spec="spread")
    chooser = Chooser(Incumbent(b.build(), space.initial), rng)
    seen = set()
    for _ in range(60):
        part = chooser.next()
        seen.add(part.kind)
        assert part.objects.size >= 2
        assert part.containers.size >= 2
        assert part.objects.size * part.containers.size <= 4 * 600
        chooser.learn(part, gain=1.0, share=1.0)
        chooser.learn(part, gain=0.0, share=0.01)
    assert seen == set(KINDS)
