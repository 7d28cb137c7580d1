"""The leaves that are linear in the assignment: usage of scope items, by all objects or by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.graph.axis import AnyAxis, Axis, ProductAxis
from models.graph.cells import Array, Cells, Value, summed
from models.graph.ops.base import Bounds, LeafOp
from models.graph.space import AssignmentSpace, Ints, Partition, Scope
from models.graph.weights import DynamicWeights, Weights

__all__ = ["COUNTED", "GroupUsage", "Usage"]

COUNTED = ("after", "stayed", "new")
"""Objects counted for a scope item: there at the end; at start and end; at the end but not at the start."""


def _check_counted(counted: str) -> None:
    if counted not in COUNTED:
        raise InvalidInput(f"a leaf counts {', '.join(COUNTED)}, got {counted!r}")


def _present(
    scope: Scope, counted: str, space: AssignmentSpace, assignment: Ints
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(object, item) pairs that count."""
    objects, items = scope.expand(assignment)
    if counted == "after":
        return objects, items
    stayed = scope.contains(space.initial[objects], items)
    keep = stayed if counted == "stayed" else ~stayed
    return objects[keep], items[keep]


@dataclass(frozen=True, eq=False)
class Usage(LeafOp):
    """``value[s, d] = Σ_{o counted on s} weight[o, s, d]`` over scope items s (and components d)."""

    scope: Scope
    weights: Weights
    counted: str = "after"

    def __post_init__(self) -> None:
        _check_counted(self.counted)

    @property
    def leaf_axis(self) -> AnyAxis:
        if self.weights.n_components == 1:
            return self.scope.items
        return ProductAxis(self.scope.items, Axis("component", self.weights.n_components))

    def evaluate(self, space: AssignmentSpace, assignment: Ints) -> Value:
        return self._sum(*_present(self.scope, self.counted, space, assignment))

    def _sum(self, objects: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Array:
        weights = self.weights.at(objects, items)
        n, d = self.scope.items.size, self.weights.n_components
        if d == 1:
            return summed(items, weights[:, 0], n)
        keys = (items[:, None] * d + np.arange(d)).reshape(-1)
        return summed(keys, weights.reshape(-1), n * d)

    def bounds(self, space: AssignmentSpace) -> Bounds:
        d = self.weights.n_components
        if isinstance(self.weights, DynamicWeights):
            low, high = _dynamic_sums(self.weights, self.scope.items.size)
        else:
            values = self.weights.values
            low = np.tile(np.minimum(values, 0).sum(axis=0), self.scope.items.size)
            high = np.tile(np.maximum(values, 0).sum(axis=0), self.scope.items.size)
        if self.counted != "after":
            objects, items = self.scope.expand(space.initial)
            at = self.weights.at(objects, items)
            keys = (items[:, None] * d + np.arange(d)).reshape(-1)
            at_low = summed(keys, np.minimum(at, 0).reshape(-1), low.size)
            at_high = summed(keys, np.maximum(at, 0).reshape(-1), low.size)
            low, high = (at_low, at_high) if self.counted == "stayed" else (low - at_low, high - at_high)
            if self.counted == "new" and not self.integral:
                low, high = _outward(low, high)
        empty = np.bincount(self.scope.indices, minlength=self.scope.items.size) == 0
        empty = np.repeat(empty, d)
        return Bounds.make(np.where(empty, 0.0, low), np.where(empty, 0.0, high))

    @property
    def integral(self) -> bool:
        return self.weights.integral


@dataclass(frozen=True, eq=False)
class GroupUsage(LeafOp):
    """``value[g, s] = Σ_{o ∈ g counted on s} weight[o, s]`` over groups g × scope items s, sparse."""

    partition: Partition
    scope: Scope
    weights: Weights
    counted: str = "after"

    def __post_init__(self) -> None:
        _check_counted(self.counted)
        if self.weights.n_components != 1:
            raise InvalidInput("group usage needs a dimension with one component, not a vector")

    @property
    def leaf_axis(self) -> AnyAxis:
        return ProductAxis(self.partition.groups, self.scope.items, sparse=True)

    def evaluate(self, space: AssignmentSpace, assignment: Ints) -> Value:
        objects, items = _present(self.scope, self.counted, space, assignment)
        weights = self.weights.at(objects, items)[:, 0]
        position, group = self.partition.expand(objects)
        keys, inverse = np.unique(group * self.scope.items.size + items[position], return_inverse=True)
        values = summed(inverse, weights[position], keys.size)
        shape = (self.partition.groups.size, self.scope.items.size)
        return Cells(shape, np.zeros((1, 1)), keys, values)

    def bounds(self, space: AssignmentSpace) -> Bounds:
        low, high = self.weights.extremes(self.scope.items.size)
        position, group = self.partition.expand(np.arange(space.n_objects))
        n = self.partition.groups.size
        return Bounds.make(
            summed(group, np.minimum(low[position, 0], 0), n).reshape(-1, 1),
            summed(group, np.maximum(high[position, 0], 0), n).reshape(-1, 1),
        )

    @property
    def integral(self) -> bool:
        return self.weights.integral


def _dynamic_sums(weights: DynamicWeights, n_items: int) -> tuple[Array, Array]:
    """Sums over objects of the negative and of the positive weights on each item: float64[n_items] twice."""
    table = weights.table
    n_rows = table.shape[0]
    has = weights.rows >= 0
    per_row = np.bincount(weights.rows[has], minlength=n_rows)
    counts = np.diff(table.indptr)
    row_of_entry = np.repeat(np.arange(n_rows), counts)
    sums = []
    for part in (np.minimum, np.maximum):
        base = part(weights.base, 0.0)
        base_of_row = summed(weights.rows[has], base[has], n_rows)
        change = part(table.data, 0.0) * per_row[row_of_entry] - base_of_row[row_of_entry]
        sums.append(base.sum() + summed(table.indices, change, n_items))
    return _outward(sums[0], sums[1])


def _outward(low: Array, high: Array) -> tuple[Array, Array]:
    """Bounds widened by the rounding of the sums that made them, so that they stay bounds."""
    slack = 1e-12 * (np.abs(low).max(initial=0.0) + np.abs(high).max(initial=0.0))
    return np.where(low == 0, 0.0, np.minimum(low - slack, 0.0)), np.where(
        high == 0, 0.0, np.maximum(high + slack, 0.0)
    )
