"""The lowered value of a node: affine expressions over its axis, sparse where the node is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.graph.axis import AnyAxis, ProductAxis
from models.graph.cells import Array, Cells, Value, at_keys, is_sparse
from solvers.milp.linear import Indices, Linear

__all__ = ["Expression", "aligned", "at_cells"]


@dataclass(frozen=True, eq=False, slots=True)
class Expression:
    """What a node is in terms of columns.

    Parameters
    ----------
    axis
        The node's.
    linear
        One affine expression for each cell.
    keys
        int64[cells], sorted: flat indices of the cells over a sparse axis; None over a dense one, where every
        element is a cell.
    background
        Over a sparse axis: the constant value of all other elements, two-dimensional, broadcastable.
    """

    axis: AnyAxis
    linear: Linear
    keys: Indices | None = None
    background: Array | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of a product axis."""
        assert isinstance(self.axis, ProductAxis)
        return self.axis.rows.size, self.axis.columns.size

    @property
    def flat(self) -> Indices:
        """int64[cells]: flat index of each cell."""
        return np.arange(self.axis.size) if self.keys is None else self.keys

    def mapped(self, linear: Linear, background: Callable[[Array], Array]) -> Expression:
        """The same cells with other expressions; `background` gives the new background from the old."""
        if self.background is None:
            return Expression(self.axis, linear)
        return Expression(self.axis, linear, self.keys, np.asarray(background(self.background), np.float64))

    @classmethod
    def constant(cls, axis: AnyAxis, value: Value) -> Expression:
        """From a value that does not depend on the assignment."""
        if isinstance(value, Cells):
            return cls(axis, Linear.constants(value.values), value.keys, value.background)
        flat = np.broadcast_to(value, (axis.size,))
        return cls(axis, Linear.constants(flat))


def at_cells(array: Array, expression: Expression) -> Array:
    """Entries of a parameter or bound (broadcastable to the axis) at the cells: float64[cells]."""
    if expression.keys is None:
        return np.broadcast_to(np.asarray(array, np.float64), (expression.axis.size,))
    return at_keys(np.asarray(array, np.float64), expression.keys, expression.shape)


def aligned(expressions: Sequence[Expression]) -> list[Expression]:
    """The same expressions over the union of their cells."""
    if not is_sparse(expressions[0].axis):
        return list(expressions)
    stored = [e.keys for e in expressions if e.keys is not None]
    keys = stored[0] if all(k is stored[0] for k in stored) else np.unique(np.concatenate(stored))
    return [_widened(e, keys) for e in expressions]


def _widened(expression: Expression, keys: Indices) -> Expression:
    assert expression.keys is not None
    assert expression.background is not None
    if keys is expression.keys:
        return expression
    place = np.searchsorted(keys, expression.keys)
    constant = at_keys(expression.background, keys, expression.shape)
    constant[place] = expression.linear.constant
    old = expression.linear
    linear = Linear(place[old.row], old.column, old.coefficient, constant)
    return Expression(expression.axis, linear, keys, expression.background)
