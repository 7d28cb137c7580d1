"""Counts of group members on scope items: which tables search keeps, their limits, allowances and terms."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.graph import Node
from models.graph.cells import Array, Cells, Value, at_keys
from models.graph.ops.affine import Affine
from models.graph.ops.usage import GroupUsage
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
    """Counts of one partition on one scope. `limit` (groups × items, broadcast) is a count, inf for none."""

    leaf: GroupUsage
    limit: Array | None = None
    slope: float = 1.0
    allow_keys: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    allow_counts: Array = field(default_factory=lambda: np.empty(0))
    terms: list[GroupTerm] = field(default_factory=list)


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
        op = node.op
        if not (isinstance(op, GroupUsage) and op.counted == "after" and op.scope.disjoint):
            return None
        if not (isinstance(op.weights, StaticWeights) and np.all(op.weights.values == 1.0)):
            return None
        if op.partition.group_sizes.size and op.partition.group_sizes.max() > np.iinfo(np.int16).max:
            return None
        if node.index not in self._by_leaf:
            self._by_leaf[node.index] = GroupTable(op)
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
