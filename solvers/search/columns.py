"""Usage of scope items as columns: affine combinations of leaves over one scope are columns themselves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.errors import Unsupported
from models.graph import Node
from models.graph.axis import ProductAxis
from models.graph.cells import Array
from models.graph.ops.affine import Affine
from models.graph.ops.base import Curvature, full
from models.graph.ops.usage import Usage
from models.graph.space import AssignmentSpace, Ints, Scope
from models.graph.weights import DynamicWeights, StaticWeights

__all__ = ["Block", "Blocks", "Column", "DynamicTable", "Form", "dense_table", "weight_pair"]

DENSE_TABLE_LIMIT = 60_000_000
"""Largest number of entries (rows × items) of a dynamic dimension's table."""


@dataclass(frozen=True, slots=True, eq=False)
class DynamicTable:
    """Weights that depend on the item: ``table[rows[o], s]`` where stored (not NaN), else ``base[o]``."""

    rows: Ints
    base: Array
    table: Array
    at_home: int
    away: int


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """``x[s] = Σ_{o on s} weight``: `home` where o started on s, `away` elsewhere, or a dynamic table.

    ``away``, ``home``: float64[n_objects].
    """

    away: Array
    home: Array
    table: DynamicTable | None = None

    @property
    def rank(self) -> int:
        """0 uniform, 1 split, 2 dynamic."""
        if self.table is not None:
            return 2
        return 0 if self.home is self.away else 1


@dataclass(slots=True, eq=False)
class Term:
    """``Σ_s gamma[s] · f(alpha[s] · x[s] + beta[s])`` of one tier."""

    column: int
    kind: int
    knots: int
    tier: int
    alpha: Array
    beta: Array
    gamma: Array


@dataclass(slots=True, eq=False)
class Block:
    """All columns over one scope, with their limits and terms. Arrays have one entry an item."""

    scope: Scope
    columns: list[Column] = field(default_factory=list)
    upper: list[Array] = field(default_factory=list)
    lower: list[Array] = field(default_factory=list)
    slope: list[float] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    index: int = 0

    @property
    def n_items(self) -> int:
        """Number of items of the scope."""
        return self.scope.items.size


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A node as ``alpha · x[column] + beta``, for each component of its axis.

    ``alpha``, ``beta``: float64[n_items, n_components].
    """

    block: Block
    columns: tuple[int, ...]
    alpha: Array
    beta: Array


def weight_pair(counted: str) -> tuple[int, int]:
    """(counts where the object started, counts elsewhere) for a kind of leaf."""
    return {"after": (1, 1), "stayed": (1, 0), "new": (0, 1)}[counted]


def dense_table(weights: DynamicWeights, counted: str) -> DynamicTable:
    """The table of a dynamic dimension, NaN where nothing is stored. Raises Unsupported when too large."""
    n_rows, n_items = weights.table.shape
    if n_rows * n_items > DENSE_TABLE_LIMIT:
        raise Unsupported(
            f"a dimension that depends on the place, with {n_rows} different rows over {n_items} items, is "
            f"too large for search (limit {DENSE_TABLE_LIMIT} entries); let objects that behave alike share "
            "a row"
        )
    table = np.full((n_rows, n_items), np.nan)
    row = np.repeat(np.arange(n_rows), np.diff(weights.table.indptr))
    table[row, weights.table.indices] = weights.table.data
    at_home, away = weight_pair(counted)
    return DynamicTable(weights.rows, weights.base, table, at_home, away)


class Blocks:
    """Finds the columns a graph needs; equal ones are shared."""

    def __init__(self, space: AssignmentSpace, constant: dict[int, Array]) -> None:
        self.space = space
        self.blocks: list[Block] = []
        self._by_scope: dict[tuple[int, bytes, bytes], Block] = {}
        self._by_key: dict[tuple[object, ...], int] = {}
        self._seen: dict[int, Block] = {}
        self._constant = constant

    def block(self, scope: Scope) -> Block:
        """The block of `scope`; scopes with equal rows share one."""
        if id(scope) not in self._seen:
            key = (scope.items.size, scope.indptr.tobytes(), scope.indices.tobytes())
            if key not in self._by_scope:
                self._by_scope[key] = Block(scope, index=len(self.blocks))
                self.blocks.append(self._by_scope[key])
            self._seen[id(scope)] = self._by_scope[key]
        return self._seen[id(scope)]

    def form(self, node: Node) -> Form | None:
        """`node` as columns, or None when it is anything else."""
        parts = self._parts(node)
        if parts is None:
            return None
        leaves, beta = parts
        scopes = {id(self.block(leaf.op.scope)) for leaf, _ in leaves if isinstance(leaf.op, Usage)}
        if len(scopes) != 1:
            return None
        op = leaves[0][0].op
        assert isinstance(op, Usage)
        block = self.block(op.scope)
        n, d = block.n_items, op.weights.n_components
        scalars = [self._scalar(c) for _, c in leaves]
        dynamic = any(
            isinstance(leaf.op, Usage) and isinstance(leaf.op.weights, DynamicWeights) for leaf, _ in leaves
        )
        if len(leaves) == 1:
            fused = [(leaves[0][0], 1.0)]
            alpha = np.broadcast_to(full(leaves[0][1], node.axis), (n * d,))
        elif dynamic or any(s is None for s in scalars):
            return None
        else:
            first = abs(scalars[0] or 1.0)
            fused = [(leaf, (s or 0.0) / first) for (leaf, _), s in zip(leaves, scalars, strict=True)]
            alpha = np.full(n * d, first)
        columns = tuple(self._column(block, fused, j) for j in range(d))
        return Form(block, columns, alpha.reshape(n, d).copy(), beta.reshape(n, d))

    @staticmethod
    def _scalar(c: Array) -> float | None:
        if c.ndim == 0:
            return float(c)
        return float(c.flat[0]) if c.size and np.all(c == c.flat[0]) else None

    def _parts(self, node: Node) -> tuple[list[tuple[Node, Array]], Array] | None:
        """Usage leaves with coefficients, and the constant rest; None when there is more to `node`."""
        if isinstance(node.axis, ProductAxis) and node.axis.sparse:
            return None
        beta = np.zeros(node.axis.size)
        if isinstance(node.op, Usage):
            return ([(node, np.float64(1.0) * np.ones(()))], beta) if node.op.scope.disjoint else None
        if not isinstance(node.op, Affine):
            return None
        leaves = []
        beta = beta + full(node.op.constant, node.axis)
        for child, c in zip(node.children, node.op.coefficients, strict=True):
            if child.curvature is Curvature.CONSTANT:
                beta = beta + full(c, node.axis) * self._constant_value(child)
            elif isinstance(child.op, Usage) and child.op.scope.disjoint:
                leaves.append((child, np.asarray(c)))
            else:
                return None
        return (leaves, beta) if leaves else None

    def _constant_value(self, node: Node) -> Array:
        return self._constant[node.index]

    def _column(self, block: Block, fused: list[tuple[Node, float]], component: int) -> int:
        key = (block.index, component, *[(leaf.index, c) for leaf, c in fused])
        if key not in self._by_key:
            self._by_key[key] = len(block.columns)
            block.columns.append(self._weights(fused, component))
            block.upper.append(np.full(block.n_items, np.inf))
            block.lower.append(np.full(block.n_items, -np.inf))
            block.slope.append(0.0)
        return self._by_key[key]

    def _weights(self, fused: list[tuple[Node, float]], component: int) -> Column:
        none = np.zeros(0)
        op = fused[0][0].op
        assert isinstance(op, Usage)
        if isinstance(op.weights, DynamicWeights):
            return Column(none, none, dense_table(op.weights, op.counted))
        at_home = np.zeros(self.space.n_objects)
        away = np.zeros(self.space.n_objects)
        for leaf, c in fused:
            assert isinstance(leaf.op, Usage)
            assert isinstance(leaf.op.weights, StaticWeights)
            w = leaf.op.weights.values[:, component]
            here, elsewhere = weight_pair(leaf.op.counted)
            at_home += here * c * w
            away += elsewhere * c * w
        return Column(away, away if np.array_equal(at_home, away) else at_home)
