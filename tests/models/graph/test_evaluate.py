"""`evaluate` against the definitions, written again as plain Python loops over single numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import all_assignments, assignments, graphs

from models.errors import InvalidInput
from models.graph import AssignmentSpace, Axis, Evaluator, GraphBuilder, Scope, evaluate
from models.graph.axis import ProductAxis
from models.graph.cells import as_dense
from models.graph.ops.base import full

TINY = 1e-9


def _items(rows, source):
    n = rows.indptr.size - 1
    row = source if source >= 0 else n + source
    return [int(t) for t in rows.indices[rows.indptr[row] : rows.indptr[row + 1]]]


def _weight(weights, o, s):
    if hasattr(weights, "values"):
        return [float(v) for v in weights.values[o]]
    row = int(weights.rows[o])
    if row >= 0:
        for k in range(weights.table.indptr[row], weights.table.indptr[row + 1]):
            if weights.table.indices[k] == s:
                return [float(weights.table.data[k])]
    return [float(weights.base[o])]


def _leaf(op, space, assignment):
    kind = op.kind
    if kind == "Before":
        return _leaf(op.leaf, space, space.initial)
    if kind == "PairCost":
        total = 0.0
        for f, s, r in zip(op.first, op.second, op.rate, strict=True):
            at = [(_items(op.scope, int(assignment[o])) or [op.scope.items.size])[0] for o in (f, s)]
            total += float(r) * float(op.distance[at[0], at[1]])
        return [total]
    d = op.weights.n_components
    n_items = op.scope.items.size
    grouped = kind == "GroupUsage"
    out = [0.0] * (op.partition.groups.size * n_items if grouped else n_items * d)
    for o in range(space.n_objects):
        start = _items(op.scope, int(space.initial[o]))
        for s in _items(op.scope, int(assignment[o])):
            if (op.counted == "stayed" and s not in start) or (op.counted == "new" and s in start):
                continue
            w = _weight(op.weights, o, s)
            if grouped:
                for g in _items(op.partition, o):
                    out[g * n_items + s] += w[0]
            else:
                for k in range(d):
                    out[s * d + k] += w[k]
    return out


def _line(op, x):
    xs, ys = [float(v) for v in op.x], [float(v) for v in op.y]
    piece = 0
    while piece < len(xs) - 2 and x >= xs[piece + 1]:
        piece += 1
    return ys[piece] + (ys[piece + 1] - ys[piece]) / (xs[piece + 1] - xs[piece]) * (x - xs[piece])


UNARY = {
    "PositivePart": lambda op, x: max(0.0, x),
    "Absolute": lambda op, x: abs(x),
    "Square": lambda op, x: x * x,
    "Power": lambda op, x: max(0.0, x) ** op.exponent,
    "Presence": lambda op, x: 1.0 if x > TINY else 0.0,
    "Ceiling": lambda op, x: float(math.ceil(x - TINY)),
    "PiecewiseLinear": _line,
}


def _reduce(op, values, axis):
    target_axis = op.onto.axis(axis)
    bins = [[] for _ in range(target_axis.size)]
    for i, v in enumerate(values):
        if op.onto.kind == "all":
            to = 0
        elif op.onto.kind == "rows":
            to = i // axis.columns.size
        elif op.onto.kind == "columns":
            to = i % axis.columns.size
        else:
            to = int(op.onto.index[i])
        if to >= 0:
            bins[to].append(v)
    pick = {
        "Total": sum,
        "Peak": lambda b: max(b, default=0.0),
        "KthLargest": lambda b: sorted(b, reverse=True)[op.k - 1] if len(b) >= op.k else 0.0,
        "LargestSum": lambda b: sum(sorted(b, reverse=True)[: op.k]),
    }[op.kind]
    return [float(pick(b)) for b in bins]


def oracle(graph, assignment):
    """Flat values of every node, by the definitions."""
    values = []
    for node in graph.nodes:
        op = node.op
        below = [values[c.index] for c in node.children]
        size = node.axis.size
        if node.op.arity == 0 and op.kind != "Constant":
            out = _leaf(op, graph.space, assignment)
        elif op.kind == "Constant":
            out = [float(v) for v in full(op.values, node.axis)]
        elif op.kind == "Affine":
            out = [float(v) for v in full(op.constant, node.axis)]
            for child, c in zip(below, op.coefficients, strict=True):
                k = full(c, node.axis)
                out = [out[i] + child[i] * float(k[i]) for i in range(size)]
        elif op.kind in UNARY:
            out = [UNARY[op.kind](op, x) for x in below[0]]
        elif op.kind in ("Maximum", "Minimum"):
            pick = max if op.kind == "Maximum" else min
            out = [pick(b[i] for b in below) for i in range(size)]
        elif op.kind == "PresenceProduct":
            out = [below[0][i] * below[1][i] for i in range(size)]
        else:
            out = _reduce(op, below[0], node.children[0].axis)
        values.append(out)
    return values


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_every_node_has_the_value_of_its_definition(data):
    graph = data.draw(graphs())
    assignment = data.draw(assignments(graph.space))
    expected = oracle(graph, assignment)
    evaluator = Evaluator(graph, assignment)

    for node in graph.nodes:
        np.testing.assert_allclose(
            as_dense(evaluator.value(node)), expected[node.index], rtol=1e-9, atol=1e-7
        )


@settings(max_examples=150, deadline=None)
@given(graphs(max_objects=3, max_containers=2))
def test_bounds_and_integrality_hold_for_every_assignment(graph):
    for assignment in all_assignments(graph.space):
        evaluator = Evaluator(graph, assignment)
        for node in graph.nodes:
            value = as_dense(evaluator.value(node))
            slack = 1e-7 * (1 + np.abs(value))
            assert np.all(value >= full(node.bounds.low, node.axis) - slack), node
            assert np.all(value <= full(node.bounds.high, node.axis) + slack), node
            if node.integral:
                np.testing.assert_allclose(value, np.rint(value), atol=1e-7)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_roots_sum_their_terms_and_count_their_violations(data):
    graph = data.draw(graphs())
    assignment = data.draw(assignments(graph.space))
    values = oracle(graph, assignment)
    result = evaluate(graph, assignment)

    for tier, got in zip(graph.tiers, result.tiers, strict=True):
        assert got == pytest.approx(sum(t.weight * values[t.node.index][0] for t in tier.terms), abs=1e-6)
    for seen in result.constraints:
        excess = values[seen.constraint.node.index]
        broken = [v for v in excess if v > 1e-6]
        assert seen.broken == len(broken)
        assert seen.violation == pytest.approx(sum(broken), abs=1e-6)
        if broken:
            assert seen.worst == pytest.approx(max(excess), abs=1e-6)
            assert seen.where is not None
    assert result.feasible == all(c.broken == 0 for c in result.constraints)


def test_an_assignment_that_is_none_is_refused():
    space = AssignmentSpace(Axis("task", 2), Axis("host", 2), np.zeros(2, np.int32), np.array([True, False]))
    graph = GraphBuilder(space).build()

    evaluate(graph, [-1, 1])
    for bad in ([0], [0, 2], [0, -1], [-2, 0]):
        with pytest.raises(InvalidInput):
            evaluate(graph, bad)


def test_sparse_axis_of_a_million_cells_stays_sparse():
    n = 1000
    space = AssignmentSpace(Axis("o", n), Axis("c", n), np.arange(n, dtype=np.int32), np.zeros(n, bool))
    g = GraphBuilder(space)
    from models.graph import Partition

    partition = Partition.from_single("p", Axis("g", n), np.arange(n))
    count = g.group_usage(partition, g.container_scope, np.ones(n))
    g.constrain(g.affine([(count, 1.0)], -1.0), spec="spread")
    graph = g.build()
    value = Evaluator(graph, space.initial).value(graph.nodes[-1])

    assert isinstance(count.axis, ProductAxis)
    assert value.keys.size == n
    assert value.background.size == 1


def test_scope_rows_of_the_unassigned_state_are_empty_by_default():
    scope = Scope.identity(Axis("host", 3))

    position, items = scope.expand(np.array([2, -1, 0], np.int32))
    assert position.tolist() == [0, 2]
    assert items.tolist() == [2, 0]
