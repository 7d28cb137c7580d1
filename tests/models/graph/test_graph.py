"""Building: equal expressions are one node, curvature holds, origins are kept, misuse is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import graphs

from models.errors import InvalidInput
from models.graph import AssignmentSpace, Axis, GraphBuilder, Node, Partition, Scope
from models.graph.axis import ProductAxis
from models.graph.cells import Cells, as_dense
from models.graph.ops import Curvature, Maximum, Onto, Peak, PositivePart, Square, Total
from models.graph.ops.base import LeafOp, full


@pytest.fixture
def builder():
    return GraphBuilder(
        AssignmentSpace(Axis("task", 3), Axis("host", 2), np.array([0, 0, 1], np.int32), np.zeros(3, bool))
    )


def load(builder, values=(1.0, 2.0, 3.0), **kw):
    return builder.usage(builder.container_scope, list(values), **kw)


def test_equal_expressions_are_one_node(builder):
    same_scope = Scope.identity(builder.space.containers)

    assert load(builder) is load(builder)
    assert builder.usage(same_scope, [1.0, 2.0, 3.0]) is load(builder)
    assert load(builder, (1.0, 2.0, 4.0)) is not load(builder)
    assert builder.node(PositivePart(), load(builder)) is builder.node(PositivePart(), load(builder))


def test_sums_are_flattened_and_merged(builder):
    u = load(builder)
    inner = builder.affine([(u, 2.0)], 1.0)
    outer = builder.affine([(inner, 3.0), (u, -5.0)], 0.5)

    assert outer.children == (u,)
    assert outer.op.coefficients[0] == 1.0
    assert outer.op.constant == 3.5
    assert builder.affine([(u, 2.0), (u, -1.0)]) is u
    assert builder.affine([(u, 1.0), (u, -1.0)], 4.0).curvature is Curvature.CONSTANT


def test_every_node_below_a_goal_knows_its_spec(builder):
    with builder.for_spec("capacity"):
        over = builder.node(PositivePart(), builder.affine([(load(builder), 1.0)], -3.0))
        builder.minimize(builder.total(over))
    with builder.for_spec("balance"):
        builder.minimize(builder.node(Peak(), load(builder)), tier=1)
    graph = builder.build()

    by_kind = {n.op.kind: graph.specs_of(n) for n in graph.nodes}
    assert by_kind == {
        "Usage": ("balance", "capacity"),
        "Affine": ("capacity",),
        "PositivePart": ("capacity",),
        "Total": ("capacity",),
        "Peak": ("balance",),
    }


def test_tiers_come_in_falling_priority(builder):
    total = builder.total(load(builder))
    builder.minimize(total, tier=5, name="late")
    builder.minimize(total, tier=-1, name="early")

    assert [t.name for t in builder.build().tiers] == ["early", "late"]


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        ("before", [3.0, 3.0]),
        ("after", [4.0, 2.0]),
        ("stayed", [1.0, 0.0]),
        ("new", [3.0, 2.0]),
        ("old", [2.0, 3.0]),
        ("during", [6.0, 5.0]),
        ("moved", [5.0, 5.0]),
    ],
)
def test_what_is_counted(builder, counted, expected):
    # tasks of 1, 2, 3: task 1 goes from host 0 to 1, task 2 from host 1 to 0
    from models.graph import Evaluator

    node = load(builder, counted=counted)
    got = Evaluator(builder.build(), [0, 1, 0]).value(node)
    np.testing.assert_array_equal(got, expected)


def test_moved_amount_counts_becoming_unassigned():
    from models.graph import Evaluator

    space = AssignmentSpace(
        Axis("t", 3), Axis("h", 2), np.array([0, -1, 1], np.int32), np.array([True, True, False])
    )
    g = GraphBuilder(space)
    node = g.moved_amount()
    assert Evaluator(g.build(), [-1, 0, 1]).scalar(node) == 2


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_claimed_curvature_holds_on_the_midpoint_of_any_two_leaf_values(data):
    graph = data.draw(graphs(with_constraints=False))
    seed = data.draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    ends = [_values(graph, rng) for _ in range(2)]
    middle = _values(graph, None, {i: (ends[0][i] + ends[1][i]) / 2 for i in ends[0]})

    for node in graph.nodes:
        mean = (ends[0][node.index] + ends[1][node.index]) / 2
        gap = middle[node.index] - mean
        slack = 1e-6 * (1 + np.abs(mean))
        if node.curvature.is_convex:
            assert np.all(gap <= slack), node
        if node.curvature.is_concave:
            assert np.all(gap >= -slack), node


def _values(graph, rng, given=None):
    """Flat values of all nodes with leaves drawn from their bounds (or `given`), not from an assignment."""
    out = {}
    for node in graph.nodes:
        if isinstance(node.op, LeafOp):
            if given is not None:
                out[node.index] = given[node.index]
                continue
            low, high = full(node.bounds.low, node.axis), full(node.bounds.high, node.axis)
            constant = node.curvature is Curvature.CONSTANT
            # whatever a constant leaf is, it is the same in both draws
            out[node.index] = low.copy() if constant else low + (high - low) * rng.random(node.axis.size)
            continue
        below = [_shaped(out[c.index], c.axis) for c in node.children]
        out[node.index] = as_dense(node.op.evaluate(below, [c.axis for c in node.children]))
    return out


def _shaped(flat, axis):
    if isinstance(axis, ProductAxis) and axis.sparse:
        return Cells((axis.rows.size, axis.columns.size), np.zeros((1, 1)), np.arange(axis.size), flat)
    return flat


def test_misuse_is_refused(builder):
    u = load(builder)
    rack = builder.usage(Scope.from_single("rack", Axis("rack", 2), [0, 1]), [1.0, 1.0, 1.0])
    vector = builder.usage(builder.container_scope, np.ones((3, 2)))
    group = Partition.from_single("job", Axis("job", 1), [0, 0, 0])
    mapped = Onto("map", np.zeros(5, np.int64), Axis("target", 1))
    cases = [
        lambda: builder.node(Maximum()),
        lambda: builder.node(Square(), u, u),
        lambda: builder.affine([(u, 1.0), (rack, 1.0)]),
        lambda: builder.affine([]),
        lambda: builder.minimize(u),
        lambda: builder.minimize(builder.total(u), weight=float("nan")),
        lambda: builder.usage(builder.container_scope, [1.0, float("inf"), 0.0]),
        lambda: builder.usage(builder.container_scope, [1.0, 2.0, 3.0], "later"),
        lambda: builder.group_usage(group, builder.container_scope, np.ones((3, 2))),
        lambda: builder.node(Total(mapped), u),
        lambda: builder.node(Total(Onto("rows")), u),
    ]
    assert isinstance(vector.axis, ProductAxis)
    for case in cases:
        with pytest.raises(InvalidInput):
            case()


def test_nodes_print_what_they_are(builder):
    node = builder.node(PositivePart(), load(builder))
    assert isinstance(node, Node)
    assert repr(node) == "#1 PositivePart(#0) over host[2]"
