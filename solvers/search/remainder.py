"""What neither columns nor group counts cover, as nodes with one value per element."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.errors import Unsupported
from models.graph import Node
from models.graph.axis import AnyAxis, ProductAxis
from models.graph.cells import Array
from models.graph.ops.affine import Affine
from models.graph.ops.base import Curvature, LeafOp
from models.graph.ops.nary import Maximum, Minimum, PresenceProduct
from models.graph.ops.pair_cost import PairCost
from models.graph.ops.reduce import KthLargest, LargestSum, Onto, Peak, Reduction, Total
from models.graph.ops.unary import Unary
from models.graph.ops.usage import GroupUsage, Usage
from models.graph.weights import DynamicWeights
from solvers.search import layout
from solvers.search.columns import DynamicTable, dense_table
from solvers.search.goals import Parts, function_of
from solvers.search.pools import Pool, item_of_container

__all__ = ["Remainder", "flatten_remainder"]

VALUE_LIMIT = 60_000_000
"""Largest number of elements over all remaining nodes."""

_COUNTED = {"after": layout.AFTER, "stayed": layout.STAYED, "new": layout.NEW}
_REDUCTIONS = {
    Total: layout.K_TOTAL,
    Peak: layout.K_PEAK,
    KthLargest: layout.K_KTH,
    LargestSum: layout.K_LARGEST,
}
_NARY = {
    Affine: layout.K_AFFINE,
    Maximum: layout.K_MAXIMUM,
    Minimum: layout.K_MINIMUM,
    PresenceProduct: layout.K_PRODUCT,
}


@dataclass(slots=True, eq=False)
class Remainder:
    """Flat tables of the remaining nodes; `node_ids` are indices into the graph's nodes, children first."""

    parts: Parts
    dynamic: list[DynamicTable]
    node_ids: list[int] = field(default_factory=list)
    nodes: Any = None
    leaves: list[list[int]] = field(default_factory=list)
    pointers: Pool = field(default_factory=lambda: Pool(np.int64))
    targets: Pool = field(default_factory=lambda: Pool(np.int32))
    leaf_w: Pool = field(default_factory=lambda: Pool(np.float64))
    pairs: Pool = field(default_factory=lambda: Pool(np.int32))
    pair_rate: Pool = field(default_factory=lambda: Pool(np.float64))
    distance: Pool = field(default_factory=lambda: Pool(np.float64))
    pool: Pool = field(default_factory=lambda: Pool(np.float64))
    children: list[list[int]] = field(default_factory=list)
    parents: list[list[int]] = field(default_factory=list)
    allowance: Pool = field(default_factory=lambda: Pool(np.float64))
    goal_w: dict[int, Array] = field(default_factory=dict)
    n_goal: int = 0
    n_values: int = 0
    _rows: dict[int, int] = field(default_factory=dict)


def _operands(node: Node) -> tuple[Node, ...]:
    """Nodes whose elements are needed to keep `node` up to date."""
    if node.curvature is Curvature.CONSTANT or isinstance(node.op, LeafOp) or _is_row_sum(node):
        return ()
    return node.children


def _is_row_sum(node: Node) -> bool:
    """Whether `node` is the total of group usage over all items, which needs no cells."""
    return (
        isinstance(node.op, Total)
        and node.op.onto.kind == "rows"
        and isinstance(node.children[0].op, GroupUsage)
    )


def flatten_remainder(parts: Parts, dynamic: list[DynamicTable]) -> Remainder:
    """All nodes below the remaining goals and limits. Appends the dynamic tables it needs to `dynamic`."""
    out = Remainder(parts, dynamic)
    needed: dict[int, Node] = {}
    pending = [parts.graph.nodes[i] for i in {*(i for i, _ in parts.goals), *parts.limits}]
    while pending:
        node = pending.pop()
        if node.index not in needed:
            needed[node.index] = node
            pending.extend(_operands(node))
    out.node_ids = sorted(needed)
    place = {index: i for i, index in enumerate(out.node_ids)}
    out.nodes = np.full((len(place), layout.NODE), -1, np.int64)
    for index in out.node_ids:
        node = needed[index]
        size = node.axis.size
        if out.n_values + size > VALUE_LIMIT:
            raise Unsupported(
                f"{node!r} (of {', '.join(parts.graph.specs_of(node)) or 'no spec'}) has too many elements "
                f"for search to keep one by one (limit {VALUE_LIMIT})"
            )
        row = out.nodes[place[index]]
        row[layout.N_OFFSET], row[layout.N_SIZE] = out.n_values, size
        row[layout.N_KNOTS], row[layout.N_MEMBERS] = 0, -1
        out.n_values += size
        _describe(out, node, row, place)
    _link_parents(out, needed, place)
    _attach_roots(out, place)
    return out


def _describe(out: Remainder, node: Node, row: Any, place: dict[int, int]) -> None:
    op = node.op
    row[layout.N_CHILD] = row[layout.N_CHILD_END] = len(out.children)
    if node.curvature is Curvature.CONSTANT:
        row[layout.N_KIND] = layout.K_FIXED
        return
    if isinstance(op, LeafOp) or _is_row_sum(node):
        row[layout.N_KIND] = layout.K_LEAF
        _leaf(out, node, place[node.index])
        return
    coefficients: list[Array] = [np.ones(())] * len(node.children)
    if isinstance(op, Affine):
        coefficients = list(op.coefficients)
    for child, c in zip(node.children, coefficients, strict=True):
        out.children.append(_coefficient(out, place[child.index], c, node.axis))
    row[layout.N_CHILD_END] = len(out.children)
    if isinstance(op, Affine):
        row[layout.N_CONSTANT] = len(out.children)
        out.children.append(_coefficient(out, -1, op.constant, node.axis))
    if isinstance(op, Reduction):
        row[layout.N_KIND] = next(k for t, k in _REDUCTIONS.items() if isinstance(op, t))
        row[layout.N_K] = getattr(op, "k", 0)
        _members(out, op.onto, node.children[0].axis, node.axis.size, row)
    elif isinstance(op, Unary):
        row[layout.N_KIND], row[layout.N_KNOTS] = function_of(op, out.parts.knots)
    else:
        row[layout.N_KIND] = _NARY[type(op)]


def _coefficient(out: Remainder, node: int, c: Array, axis: AnyAxis) -> list[int]:
    c = np.asarray(c, np.float64)
    start = out.pool.add(c, share=c.size == 1)
    if c.size == 1:
        return [node, start, 0, 0, 1]
    if c.ndim == 1:
        return [node, start, 1, 0, 1]
    assert isinstance(axis, ProductAxis)
    rows, columns = c.shape
    return [node, start, columns if rows > 1 else 0, 1 if columns > 1 else 0, axis.columns.size]


def _members(out: Remainder, onto: Onto, source: AnyAxis, n_targets: int, row: Any) -> None:
    row[layout.N_COLUMNS] = source.columns.size if isinstance(source, ProductAxis) else 1
    if onto.kind == "rows":
        row[layout.N_MEMBERS] = -2
    elif onto.kind == "columns":
        row[layout.N_MEMBERS] = -3
    elif onto.kind == "map":
        assert onto.index is not None
        order = np.argsort(onto.index, kind="stable")
        order = order[onto.index[order] >= 0]
        count = np.bincount(onto.index[order], minlength=n_targets)
        start = out.targets.add(order)
        row[layout.N_MEMBERS] = out.pointers.add(np.append(0, np.cumsum(count)) + start)


def _csr(out: Remainder, indptr: Any, indices: Any, key: object) -> int:
    if id(key) not in out._rows:
        start = out.targets.add(indices)
        out._rows[id(key)] = out.pointers.add(np.asarray(indptr, np.int64) + start)
    return out._rows[id(key)]


def _leaf(out: Remainder, node: Node, place: int) -> None:
    op = node.children[0].op if _is_row_sum(node) else node.op
    record = [0] * layout.LEAF
    record[layout.F_NODE] = place
    if isinstance(op, PairCost):
        _pair_leaf(out, op, record)
        out.leaves.append(record)
        return
    assert isinstance(op, (Usage, GroupUsage))
    record[layout.F_TYPE] = layout.LEAF_USAGE
    record[layout.F_SCOPE] = _csr(out, op.scope.indptr, op.scope.indices, op.scope)
    if isinstance(op, GroupUsage):
        record[layout.F_TYPE] = layout.LEAF_ROWS if _is_row_sum(node) else layout.LEAF_GROUP
        record[layout.F_PARTITION] = _csr(out, op.partition.indptr, op.partition.indices, op.partition)
    record[layout.F_COMPONENTS] = op.weights.n_components
    record[layout.F_COUNTED] = _COUNTED[op.counted]
    record[layout.F_ITEMS] = op.scope.items.size
    if isinstance(op.weights, DynamicWeights):
        record[layout.F_WEIGHT] = -1
        record[layout.F_DYNAMIC] = len(out.dynamic)
        out.dynamic.append(dense_table(op.weights, "after"))
    else:
        record[layout.F_WEIGHT] = out.leaf_w.add(op.weights.values, share=True)
    out.leaves.append(record)


def _pair_leaf(out: Remainder, op: PairCost, record: list[int]) -> None:
    record[layout.F_TYPE] = layout.LEAF_PAIR
    record[layout.F_ITEMS] = op.scope.items.size
    record[layout.F_DISTANCE] = out.distance.add(op.distance)
    record[layout.F_ITEM_OF] = out.targets.add(item_of_container(op.scope))
    n = out.parts.graph.space.n_objects
    itself = op.first == op.second
    owner = np.concatenate([op.first, op.second[~itself]])
    other = np.concatenate([np.where(itself, -1, op.second), op.first[~itself]])
    second = np.concatenate([np.zeros(op.first.size, np.int32), np.ones(int((~itself).sum()), np.int32)])
    rate = np.concatenate([op.rate, op.rate[~itself]])
    order = np.argsort(owner, kind="stable")
    start = out.pair_rate.add(rate[order])
    out.pairs.add(np.column_stack([other[order], second[order]]))
    count = np.bincount(owner, minlength=n)
    record[layout.F_PAIRS] = out.pointers.add(np.append(0, np.cumsum(count)) + start)


def _link_parents(out: Remainder, needed: dict[int, Node], place: dict[int, int]) -> None:
    above: dict[int, list[list[int]]] = {i: [] for i in place.values()}
    kinds = {
        "all": layout.ONTO_ALL,
        "rows": layout.ONTO_ROWS,
        "columns": layout.ONTO_COLUMNS,
        "map": layout.ONTO_MAP,
    }
    for index in out.node_ids:
        node = needed[index]
        for child in dict.fromkeys(_operands(node)):
            record = [place[index], layout.ONTO_SAME, 0, 1]
            if isinstance(node.op, Reduction):
                record[layout.P_ONTO] = kinds[node.op.onto.kind]
                if node.op.onto.index is not None:
                    record[layout.P_MAP] = out.targets.add(node.op.onto.index)
                if isinstance(child.axis, ProductAxis):
                    record[layout.P_COLUMNS] = child.axis.columns.size
            above[place[child.index]].append(record)
    for i in range(len(out.node_ids)):
        out.nodes[i, layout.N_PARENT] = len(out.parents)
        out.parents.extend(above[i])
        out.nodes[i, layout.N_PARENT_END] = len(out.parents)


def _attach_roots(out: Remainder, place: dict[int, int]) -> None:
    for index in sorted({i for i, _ in out.parts.goals}):
        out.nodes[place[index], layout.N_GOAL] = out.n_goal
        out.n_goal += out.parts.graph.nodes[index].axis.size
    for (index, tier), weights in out.parts.goals.items():
        held = out.goal_w.setdefault(tier, np.zeros(out.n_goal))
        start = out.nodes[place[index], layout.N_GOAL]
        held[start : start + weights.size] += weights
    for index, allowed in sorted(out.parts.limits.items()):
        out.nodes[place[index], layout.N_LIMIT] = out.allowance.add(allowed)
