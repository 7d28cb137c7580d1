"""Which elements of each axis a change of some objects can reach."""

from __future__ import annotations

import numpy as np

from models.graph import Node
from models.graph.axis import SCALAR, AnyAxis, Axis, ProductAxis
from models.graph.cells import Array, Cells, Value
from models.graph.ops import GroupUsage, KthLargest, LargestSum, PairCost, Usage
from models.graph.ops.reduce import Reduction
from solvers.milp.linear import Indices

__all__ = ["Live", "live_elements"]


class Live:
    """For each axis its live elements; of a product axis the product of the live rows and columns.

    An axis without any keeps its first element, so that no restricted axis is empty.
    """

    def __init__(self) -> None:
        self._elements: dict[Axis, Indices] = {SCALAR: np.zeros(1, np.int64)}

    def of(self, axis: AnyAxis) -> Indices:
        """int64[n]: live elements, sorted; flat indices over a product axis."""
        if isinstance(axis, ProductAxis):
            rows, columns = self.of(axis.rows), self.of(axis.columns)
            return (rows[:, None] * axis.columns.size + columns).reshape(-1)
        return self._elements.get(axis, np.arange(min(1, axis.size)))

    def add(self, axis: AnyAxis, elements: Indices) -> bool:
        """Make elements live; whether any of them was not."""
        if isinstance(axis, ProductAxis):
            rows, columns = np.divmod(elements, axis.columns.size)
            grown = self.add(axis.rows, rows)
            return self.add(axis.columns, columns) or grown
        before = self.of(axis)
        after = np.union1d(before, elements)
        self._elements[axis] = after.astype(np.int64)
        return after.size > before.size

    def axis(self, axis: AnyAxis) -> AnyAxis:
        """The axis of the live elements."""
        if isinstance(axis, ProductAxis):
            return ProductAxis(self.plain(axis.rows), self.plain(axis.columns), axis.sparse)
        return self.plain(axis)

    def plain(self, axis: Axis) -> Axis:
        """The same for an axis that is no product."""
        return SCALAR if axis == SCALAR else Axis(axis.name, self.of(axis).size)

    def parameter(self, values: Array, axis: AnyAxis) -> Array:
        """The live part of a parameter that is a scalar or broadcastable to the axis (see `Affine`)."""
        if values.size == 1:
            return values
        if isinstance(axis, ProductAxis) and values.ndim == 2:
            if values.shape[0] > 1:
                values = values[self.of(axis.rows)]
            return values[:, self.of(axis.columns)] if values.shape[1] > 1 else values
        return values[self.of(axis)]

    def value(self, value: Value, axis: AnyAxis) -> Array:
        """The live part of a value: flat, or rows × columns over a sparse axis."""
        if isinstance(value, Cells):
            assert isinstance(axis, ProductAxis)
            shape = self.of(axis.rows).size, self.of(axis.columns).size
            return value.at(self.of(axis)).reshape(shape)
        return value[self.of(axis)]


def live_elements(nodes: list[Node], objects: Indices, places: Indices) -> Live:
    """What `nodes` (in the graph's order) show of `objects` that can be in `places` (-1: unassigned).

    All elements of an axis are live where an operation needs to see them all: the k largest of a sparse node.
    """
    live = Live()
    for node in nodes:
        op = node.op
        if isinstance(op, (Usage, GroupUsage, PairCost)):
            live.add(op.scope.items, op.scope.expand(places)[1])
            if isinstance(op, GroupUsage):
                live.add(op.partition.groups, op.partition.expand(objects)[1])
            elif isinstance(node.axis, ProductAxis):
                live.add(node.axis.columns, np.arange(node.axis.columns.size))
        elif isinstance(op, (KthLargest, LargestSum)):
            source = node.children[0].axis
            if isinstance(source, ProductAxis) and source.sparse:
                live.add(source.rows, np.arange(source.rows.size))
                live.add(source.columns, np.arange(source.columns.size))
    reductions = [n for n in nodes if isinstance(n.op, Reduction)]
    grown = True
    while grown:
        grown = False
        for node in reductions:
            assert isinstance(node.op, Reduction)
            source = node.children[0].axis
            target = node.op.onto.of(source, live.of(source))
            grown = live.add(node.axis, target[target >= 0]) or grown
    return live
