"""Hypothesis strategies shared by the tests: small random spaces and graphs over the whole operation set."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import numpy as np
from hypothesis import strategies as st
from scipy import sparse

from models.graph import (
    AssignmentSpace,
    Axis,
    DynamicWeights,
    GraphBuilder,
    Node,
    Partition,
    Scope,
    StaticWeights,
)
from models.graph.axis import SCALAR, ProductAxis
from models.graph.ops import (
    ALL,
    COLUMNS,
    ROWS,
    Absolute,
    Ceiling,
    KthLargest,
    LargestSum,
    Maximum,
    Minimum,
    Onto,
    PairCost,
    Peak,
    PiecewiseLinear,
    PositivePart,
    Power,
    Presence,
    PresenceProduct,
    Square,
    Total,
)


def often(examples: int) -> int:
    """A quarter of `examples` in `make test`, where they are always the same ones; all in `make explore`."""
    return examples if os.environ.get("FULCRUM_EXPLORE") else -(-examples // 4)


NUMBERS = st.integers(-6, 6).map(float) | st.sampled_from([0.5, -1.25, 2.75])
POSITIVE = st.integers(0, 6).map(float) | st.sampled_from([0.5, 1.25])
COUNTED = st.sampled_from(["after", "before", "during", "moved", "new", "old", "stayed"])


@st.composite
def spaces(draw, max_objects=4, max_containers=3):
    """A space small enough to go through all of its assignments."""
    n = draw(st.integers(1, max_objects))
    m = draw(st.integers(1, max_containers))
    initial = draw(st.lists(st.integers(-1, m - 1), min_size=n, max_size=n))
    loose = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    # an object that starts nowhere may stay there, so that the start itself is valid
    may = np.array([a or b < 0 for a, b in zip(loose, initial, strict=True)])
    return AssignmentSpace(Axis("object", n), Axis("container", m), np.array(initial, np.int32), may)


def all_assignments(space: AssignmentSpace) -> Iterator[np.ndarray]:
    """Every valid assignment of a small space."""
    choices = [range(-1 if may else 0, space.n_containers) for may in space.may_be_unassigned]
    for combination in itertools.product(*choices):
        yield np.array(combination, np.int32)


@st.composite
def assignments(draw, space):
    """One valid assignment."""
    low = [-1 if may else 0 for may in space.may_be_unassigned]
    return np.array([draw(st.integers(a, space.n_containers - 1)) for a in low], np.int32)


@st.composite
def scopes(draw, space, disjoint=False):
    """Partial, possibly overlapping, possibly with an item no container has."""
    n = draw(st.integers(1, 3))
    items = Axis(f"item{n}", n)
    if disjoint or draw(st.booleans()):
        single = draw(
            st.lists(st.integers(-1, n - 1), min_size=space.n_containers, max_size=space.n_containers)
        )
        return Scope.from_single(items.name, items, single)
    rows = [draw(st.lists(st.integers(0, n - 1), max_size=n)) for _ in range(space.n_containers)]
    return Scope.from_lists(items.name, items, rows)


@st.composite
def partitions(draw, space):
    """Partial, possibly overlapping groups."""
    n = draw(st.integers(1, 3))
    rows = [draw(st.lists(st.integers(0, n - 1), max_size=2)) for _ in range(space.n_objects)]
    return Partition.from_lists("group", Axis(f"group{n}", n), rows)


@st.composite
def static_weights(draw, space, values=NUMBERS, components=1):
    n = space.n_objects
    flat = draw(st.lists(values, min_size=n * components, max_size=n * components))
    return StaticWeights.of(np.array(flat).reshape(n, components))


@st.composite
def dynamic_weights(draw, space, scope, values=NUMBERS):
    """Some objects share a row; some entries are stored, explicit zeros among them."""
    n, s = space.n_objects, scope.items.size
    n_rows = draw(st.integers(1, 2))
    rows = draw(st.lists(st.integers(-1, n_rows - 1), min_size=n, max_size=n))
    base = draw(st.lists(values, min_size=n, max_size=n))
    cells = draw(st.lists(st.tuples(st.integers(0, n_rows - 1), st.integers(0, s - 1)), unique=True))
    cells.sort()
    data = [draw(values) for _ in cells]
    indptr = np.searchsorted([r for r, _ in cells], np.arange(n_rows + 1))
    table = sparse.csr_array(
        (np.array(data, np.float64), np.array([c for _, c in cells], np.int32), indptr.astype(np.int32)),
        shape=(n_rows, s),
    )
    return DynamicWeights(np.array(base), np.array(rows, np.int32), table)


@st.composite
def leaves(draw, builder: GraphBuilder, values=NUMBERS):
    """A usage, a group usage or (as a scalar) a pair cost."""
    space = builder.space
    kind = draw(st.sampled_from(["usage", "usage", "group", "vector", "dynamic", "pair"]))
    scope = draw(scopes(space, disjoint=kind == "pair"))
    counted = draw(COUNTED)
    if kind == "pair":
        n_pairs = draw(st.integers(1, 3))
        ends = st.lists(st.integers(0, space.n_objects - 1), min_size=n_pairs, max_size=n_pairs)
        k = scope.items.size + 1
        distance = np.array(draw(st.lists(POSITIVE, min_size=k * k, max_size=k * k))).reshape(k, k)
        rate = np.array(draw(st.lists(POSITIVE, min_size=n_pairs, max_size=n_pairs)))
        first, second = (np.array(draw(ends), np.int32) for _ in range(2))
        return builder.node(PairCost(scope, first, second, rate, distance))
    if kind == "group":
        weights = draw(static_weights(space, values) | dynamic_weights(space, scope, values))
        return builder.group_usage(draw(partitions(space)), scope, weights, counted)
    if kind == "dynamic":
        return builder.usage(scope, draw(dynamic_weights(space, scope, values)), counted)
    return builder.usage(scope, draw(static_weights(space, values, 2 if kind == "vector" else 1)), counted)


def _constants(draw, axis):
    """A coefficient or constant that fits `axis`."""
    if isinstance(axis, ProductAxis) and axis.sparse:
        shape = draw(st.sampled_from([(1, 1), (axis.rows.size, 1), (1, axis.columns.size)]))
        flat = draw(st.lists(NUMBERS, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
        return np.array(flat).reshape(shape)
    if draw(st.booleans()):
        return np.float64(draw(NUMBERS))
    return np.array(draw(st.lists(NUMBERS, min_size=axis.size, max_size=axis.size)))


@st.composite
def expressions(draw, builder: GraphBuilder, depth=3):
    """A random node of any axis."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(leaves(builder))
    child: Node = draw(expressions(builder, depth - 1))
    axis = child.axis
    choice = draw(st.sampled_from(["affine", "unary", "nary", "reduce", "product"]))
    if choice == "affine":
        terms = [(child, _constants(draw, axis))]
        if draw(st.booleans()):
            terms.append((builder.node(PositivePart(), child), _constants(draw, axis)))
        return builder.affine(terms, _constants(draw, axis))
    if choice == "unary":
        op = draw(
            st.sampled_from([PositivePart(), Absolute(), Square(), Power(1.5), Presence(), Ceiling()])
            | st.lists(NUMBERS, min_size=3, max_size=3).map(
                lambda y: PiecewiseLinear(np.array([-2.0, 0.0, 3.0]), np.array(y))
            )
        )
        return builder.node(op, child)
    if choice in ("nary", "product"):
        other = builder.affine([(child, _constants(draw, axis))], _constants(draw, axis))
        if choice == "product":
            return builder.node(PresenceProduct(), child, builder.node(Presence(), other))
        return builder.node(draw(st.sampled_from([Maximum(), Minimum()])), child, other)
    ontos = [ALL]
    if isinstance(axis, ProductAxis):
        ontos += [ROWS, COLUMNS]
    if not (isinstance(axis, ProductAxis) and axis.sparse):
        target = Axis("target", 2)
        index = draw(st.lists(st.integers(-1, 1), min_size=axis.size, max_size=axis.size))
        ontos.append(Onto("map", np.array(index, np.int64), target))
    onto = draw(st.sampled_from(ontos))
    k = draw(st.integers(1, 3))
    return builder.node(
        draw(st.sampled_from([Total(onto), Peak(onto), KthLargest(k, onto), LargestSum(k, onto)])), child
    )


@st.composite
def graphs(draw, max_objects=4, max_containers=3, depth=3, with_constraints=True):
    """A graph with one or two goal tiers and some constraints."""
    space = draw(spaces(max_objects, max_containers))
    builder = GraphBuilder(space)
    for tier in range(draw(st.integers(1, 2))):
        for k in range(draw(st.integers(1, 2))):
            node = draw(expressions(builder, depth))
            scalar = node if node.axis == SCALAR else builder.total(node)
            builder.minimize(
                scalar, weight=draw(st.sampled_from([1.0, 2.0, -0.5])), tier=tier, spec=f"goal {tier}.{k}"
            )
    if with_constraints:
        for k in range(draw(st.integers(0, 2))):
            node = draw(expressions(builder, max(depth - 1, 0)))
            builder.constrain(builder.affine([(node, 1.0)], _constants(draw, node.axis)), spec=f"limit {k}")
    return builder.build()
