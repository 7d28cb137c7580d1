"""Counts of group members: limits, allowances and costs, in tables and by going through the members."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.graph import AssignmentSpace, Axis, Cells, Evaluator, GraphBuilder, Partition, Scope, evaluate
from models.graph.ops import PositivePart, Square
from solvers.search import group_tables
from solvers.search.flatten import flatten
from solvers.search.state import make_state


@st.composite
def count_graphs(draw):
    """At most so many of a group on an item, with what the start breaks allowed and priced."""
    n, m, n_groups, n_items = (draw(st.integers(2, 6)) for _ in range(4))
    numbers = lambda high, size: draw(st.lists(st.integers(0, high), min_size=size, max_size=size))  # noqa: E731
    initial = np.array(numbers(m - 1, n), np.int32)
    space = AssignmentSpace(Axis("object", n), Axis("container", m), initial, np.zeros(n, bool))
    builder = GraphBuilder(space)
    scope = Scope.from_single("rack", Axis("rack", n_items), numbers(n_items - 1, m))
    groups = Partition.from_single("group", Axis("group", n_groups), numbers(n_groups - 1, n))
    counts = builder.group_usage(groups, scope, np.ones(n))
    shape = draw(st.sampled_from([(1, 1), (n_groups, 1), (1, n_items)]))
    most = np.array(numbers(2, shape[0] * shape[1]), float).reshape(shape)
    over = builder.affine([(counts, 1.0)], -most)
    value = Evaluator(builder.build(), initial).value(over)
    positive = value.values > 0
    allowance = Cells(value.shape, np.zeros((1, 1)), value.keys[positive], value.values[positive])
    builder.constrain(over, spec="spread", allowance=allowance)
    builder.minimize(builder.total(builder.node(PositivePart(), over)), tier=0)
    builder.minimize(builder.total(builder.node(Square(), counts)), tier=1)
    return builder.build()


@pytest.mark.parametrize("table_limit", [0, 10**6])
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(graph=count_graphs(), seed=st.integers(0, 2**20))
def test_every_shift_is_allowed_and_priced_as_evaluated(table_limit, graph, seed):
    from solvers.search.kernels.moves import try_move

    group_tables.TABLE_LIMIT, kept = table_limit, group_tables.TABLE_LIMIT
    try:
        model = flatten(graph, graph.space.initial)
    finally:
        group_tables.TABLE_LIMIT = kept
    assert not model.node_ids
    weights = np.array([1.0, 0.25])
    here = graph.space.initial.copy()
    state = make_state(model, model.weighted(weights, 0.0), here)
    rng = np.random.default_rng(seed)
    for _ in range(10):
        o, b = int(rng.integers(model.n_objects)), int(rng.integers(model.n_containers))
        if b == here[o]:
            continue
        after = here.copy()
        after[o] = b
        before, then = evaluate(graph, here), evaluate(graph, after)
        found = try_move(
            0,
            o,
            int(here[o]),
            b,
            model.n_objects,
            model.n_containers,
            np.inf,
            np.inf,
            0,
            True,
            *state.arrays,
        )
        assert (found < np.inf) == then.feasible
        if then.feasible:
            assert found == pytest.approx(float(weights @ (then.tiers - before.tiers)), abs=1e-9)
            here = after
