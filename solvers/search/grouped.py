"""Counts of group members on scope items: which tables search keeps, and what is asked of them.

That is limits with allowances, terms, the least number of items a group must be on, and dependencies: where
one group is, another must be too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.graph import Node
from models.graph.axis import Axis
from models.graph.cells import Array, Cells, Value, at_keys
from models.graph.ops.affine import Affine
from models.graph.ops.reduce import Total
from models.graph.ops.unary import Presence
from models.graph.ops.usage import GroupUsage
from models.graph.space import Partition, Scope
from models.graph.weights import StaticWeights

__all__ = ["GroupForm", "GroupTable", "GroupTables", "GroupTerm"]


@dataclass(slots=True, eq=False)
class GroupTerm:
    """``Σ_cells gamma · f(alpha · count + beta)``; arrays broadcast to (groups, items)."""

    kind: int
    knots: int
    tier: int
    alpha: Array
    beta: Array
    gamma: Array


@dataclass(slots=True, eq=False)
class GroupTable:
    """Counts of one partition on one scope.

    Parameters
    ----------
    limit
        Largest counts (groups × items, broadcast), inf for none.
    least, least_slope
        Least number of items with a member, by group; violation of one item too few.
    needs
        int64[k, 2]: where the first group is, the second must be.
    """

    partition: Partition
    scope: Scope
    limit: Array | None = None
    slope: float = 1.0
    allow_keys: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    allow_counts: Array = field(default_factory=lambda: np.empty(0))
    terms: list[GroupTerm] = field(default_factory=list)
    least: Array | None = None
    least_slope: float = 1.0
    needs: npt.NDArray[np.int64] | None = None

    @property
    def tracked(self) -> bool:
        """Whether it matters on how many items a group is, or whether it is on one at all."""
        return self.least is not None or self.needs is not None


@dataclass(frozen=True, slots=True, eq=False)
class GroupForm:
    """A node as ``alpha · count + beta``; arrays broadcast to (groups, items)."""

    table: GroupTable
    alpha: Array
    beta: Array


def _two_dimensional(values: Array) -> Array:
    return values if values.ndim == 2 else np.asarray(values, np.float64).reshape(1, 1)


class GroupTables:
    """Finds the count tables a graph needs."""

    def __init__(self) -> None:
        self.tables: list[GroupTable] = []
        self._by_leaf: dict[int, GroupTable] = {}

    def _table(self, node: Node) -> GroupTable | None:
        op = self._plain(node)
        if op is None:
            return None
        if op.partition.group_sizes.size and op.partition.group_sizes.max() > np.iinfo(np.int16).max:
            return None
        if node.index not in self._by_leaf:
            self._by_leaf[node.index] = GroupTable(op.partition, op.scope)
            self.tables.append(self._by_leaf[node.index])
        return self._by_leaf[node.index]

    def form(self, node: Node) -> GroupForm | None:
        """`node` as counts, or None when it is anything else."""
        one, zero = np.ones((1, 1)), np.zeros((1, 1))
        if isinstance(node.op, GroupUsage):
            table = self._table(node)
            return None if table is None else GroupForm(table, one, zero)
        if isinstance(node.op, Affine) and len(node.children) == 1:
            table = self._table(node.children[0])
            if table is not None:
                return GroupForm(
                    table, _two_dimensional(node.op.coefficients[0]), _two_dimensional(node.op.constant)
                )
        return None

    @staticmethod
    def add_limit(form: GroupForm, allowance: Value, tolerance: float) -> bool:
        """Require ``alpha · count + beta <= allowance``; False when that is no upper limit on counts."""
        if not np.all(form.alpha >= 0):
            return False
        background = allowance.background if isinstance(allowance, Cells) else _two_dimensional(allowance)

        def as_count(allowed: Array, alpha: Array, beta: Array) -> Array:
            with np.errstate(divide="ignore", invalid="ignore"):
                most = np.floor((allowed + tolerance * np.maximum(1.0, np.abs(allowed)) - beta) / alpha)
            return np.where(alpha > 0, most, np.inf)

        table = form.table
        if np.any((form.alpha == 0) & (form.beta > background)):
            return False
        new = as_count(background, form.alpha, form.beta)
        if isinstance(allowance, Cells) and allowance.keys.size:
            if table.allow_keys.size or table.limit is not None:
                return False  # two sets of exceptions on one table: left to the remaining nodes
            shape = allowance.shape
            table.allow_keys = allowance.keys
            table.allow_counts = as_count(
                allowance.values,
                at_keys(form.alpha, allowance.keys, shape),
                at_keys(form.beta, allowance.keys, shape),
            )
        elif table.allow_keys.size:
            return False
        table.limit = new if table.limit is None else np.minimum(table.limit, new)
        table.slope = float(form.alpha.max())
        return True

    def add_least(self, node: Node, allowed: Array, tolerance: float, cell_limit: int) -> bool:
        """Require ``k − c · (items with a member) <= allowed`` by group; False if `node` is anything else."""
        if not (isinstance(node.op, Affine) and len(node.children) == 1):
            return False
        total = node.children[0]
        if not (isinstance(total.op, Total) and total.op.onto.kind == "rows"):
            return False
        present = total.children[0]
        if not isinstance(present.op, Presence):
            return False
        c = -np.asarray(node.op.coefficients[0], np.float64).reshape(-1)
        table = self._table(present.children[0])
        if table is None or not np.all(c > 0) or table.least is not None or _cells(table) > cell_limit:
            return False
        k = np.asarray(node.op.constant, np.float64).reshape(-1)
        slack = tolerance * np.maximum(1.0, np.abs(allowed))
        table.least = np.broadcast_to(np.ceil((k - allowed - slack) / c), (table.partition.groups.size,))
        table.least_slope = float(c.max())
        return True

    def add_needs(self, node: Node, highest: float, cell_limit: int) -> bool:
        """Require ``[group of row] − [other group of row] <= highest`` (below 1) on every item of a scope."""
        if not (isinstance(node.op, Affine) and len(node.children) == 2 and 0 <= highest < 0.5):
            return False
        constant = np.asarray(node.op.constant)
        signs = [np.asarray(c, np.float64) for c in node.op.coefficients]
        if np.any(constant) or not (np.all(signs[0] == 1.0) and np.all(signs[1] == -1.0)):
            return False
        if not all(isinstance(child.op, Presence) for child in node.children):
            return False
        tables = [self._plain(child.children[0]) for child in node.children]
        if any(op is None for op in tables):
            return False
        first, second = (op for op in tables if op is not None)
        rows, partition = _merged(first.partition, second.partition)
        if partition.groups.size * first.scope.items.size > cell_limit:
            return False
        needs = np.unique(rows[rows[:, 0] != rows[:, 1]], axis=0)
        self.tables.append(GroupTable(partition, first.scope, needs=needs))
        return True

    @staticmethod
    def _plain(node: Node) -> GroupUsage | None:
        """The leaf of `node` when it counts members."""
        op = node.op
        if not (isinstance(op, GroupUsage) and op.counted == "after" and op.scope.disjoint):
            return None
        return op if isinstance(op.weights, StaticWeights) and np.all(op.weights.values == 1.0) else None


def _cells(table: GroupTable) -> int:
    return table.partition.groups.size * table.scope.items.size


def _merged(first: Partition, second: Partition) -> tuple[npt.NDArray[np.int64], Partition]:
    """Groups with equal members as one: (int64[k, 2]: merged group of each row of both, their partition)."""
    known: dict[bytes, int] = {}
    rows = np.empty((first.groups.size, 2), np.int64)
    members: list[npt.NDArray[np.int64]] = []
    for side, partition in enumerate((first, second)):
        objects, group = partition.expand(np.arange(partition.indptr.size - 1))
        order = np.argsort(group, kind="stable")
        ends = np.cumsum(np.bincount(group, minlength=partition.groups.size))
        for row, inside in enumerate(np.split(objects[order], ends[:-1])):
            key = inside.tobytes()
            if key not in known:
                known[key] = len(members)
                members.append(inside)
            rows[row, side] = known[key]
    n = first.indptr.size - 1
    owner = np.concatenate(members) if members else np.empty(0, np.int64)
    group = np.repeat(np.arange(len(members)), [m.size for m in members])
    order = np.lexsort((group, owner))
    indptr = np.append(0, np.cumsum(np.bincount(owner, minlength=n)))
    axis = Axis("merged group", len(members))
    return rows, Partition(axis.name, axis, indptr, group[order].astype(np.int32))
