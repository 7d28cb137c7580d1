"""A search beside others: threads that come late, and what others have found."""

import numpy as np

from models.graph import AssignmentSpace, Axis, GraphBuilder, evaluate
from models.graph.ops import Square
from solvers.options import SolveOptions
from solvers.search.company import Company
from solvers.search.search import search


def spread(n=400, m=20):
    """Objects of many sizes, all on one host; the goal is the sum of the squared loads."""
    size = np.random.default_rng(1).integers(1, 100, n).astype(float)
    space = AssignmentSpace(Axis("object", n), Axis("host", m), np.zeros(n, np.int32), np.zeros(n, bool))
    g = GraphBuilder(space)
    g.minimize(g.total(g.node(Square(), g.usage(g.container_scope, size))))
    return g.build()


def test_a_thread_that_comes_late_joins_and_the_answer_holds():
    graph, asked = spread(), []

    def threads():
        asked.append(None)
        return 1 if len(asked) < 4 else 2

    result = search(graph, SolveOptions(time_limit_s=1.5, threads=2), company=Company(threads))
    assert len(asked) >= 4
    assert evaluate(graph, result.assignment).tiers.tolist() == [t.value for t in result.tiers]


def test_what_others_have_found_is_taken_up():
    graph = spread()
    good = search(graph, SolveOptions(iteration_limit=300_000)).assignment
    value = evaluate(graph, good).tiers[0]
    company = Company(better=lambda tiers: good if tiers[0] > value else None)
    result = search(graph, SolveOptions(iteration_limit=2_000), company=company)
    assert result.tiers[0].value <= value
    alone = search(graph, SolveOptions(iteration_limit=2_000))
    assert alone.tiers[0].value > value
