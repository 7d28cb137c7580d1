"""Functions given by points: exact on every piece, by filling the pieces one after another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from solvers.milp.context import Context
from solvers.milp.grain import combined, grain_of_numbers, grouped
from solvers.milp.linear import Indices, Linear

__all__ = ["Points", "lattice_points", "lines_above", "through"]


@dataclass(frozen=True, eq=False, slots=True)
class Points:
    """Points of one function for each cell, at least two a cell.

    ``cell``: int64[n], ascending; ``x``: float64[n], strictly increasing within a cell; ``y``: float64[n].
    """

    cell: Indices
    x: Array
    y: Array

    def pieces(self) -> tuple[Indices, Indices, Array, Array]:
        """Of each piece: its first point, its cell, its length and its slope."""
        first = np.flatnonzero(self.cell[1:] == self.cell[:-1])
        length = self.x[first + 1] - self.x[first]
        return first, self.cell[first], length, (self.y[first + 1] - self.y[first]) / length


def through(ctx: Context, x: Linear, points: Points) -> Linear:
    """``f(x)`` for the straight lines through `points`, whatever their shape (the incremental model).

    One column for each piece, filled in order: a binary says that the piece before is full. The formulation
    of Markowitz and Manne (1957); its relaxation is the convex hull.
    """
    _, cell, length, slope = points.pieces()
    ends = grouped(grain_of_numbers(points.x), points.cell, x.n)
    grain = combined(ctx.grain(x), ends)
    filled = ctx.fresh(np.zeros(length.size), length, grain=grain[cell])
    starts = np.searchsorted(points.cell, np.arange(x.n))
    total = filled.reduced(cell, x.n)
    ctx.model.rows(x - total, lower=points.x[starts], upper=points.x[starts])
    after = np.flatnonzero(cell[1:] == cell[:-1])
    if after.size:
        full = ctx.binaries(after.size)
        ctx.at_most(full.scaled(length[after]) - filled.taken(after), 0.0)
        ctx.at_most(filled.taken(after + 1) - full.scaled(length[after + 1]), 0.0)
    rise = filled.scaled(slope).reduced(cell, x.n)
    return rise.shifted(points.y[starts])


def lines_above(ctx: Context, x: Linear, y: Linear, points: Points) -> None:
    """Rows ``y >= line`` for every piece: exact from above where the function is convex."""
    first, cell, _, slope = points.pieces()
    at = points.y[first] - slope * points.x[first]
    ctx.at_most(x.taken(cell).scaled(slope) - y.taken(cell), -at)


def lattice_points(low: Array, high: Array, constant: Array, step: Array) -> tuple[Indices, Array]:
    """(cell, value) of all ``constant + whole · step`` in ``low..high``; every step must be positive."""
    from_k = np.ceil((low - constant) / step - 1e-7)
    to_k = np.floor((high - constant) / step + 1e-7)
    count = np.maximum(to_k - from_k + 1, 0).astype(np.int64)
    cell = np.repeat(np.arange(low.size), count)
    offset = np.arange(cell.size) - np.repeat(np.cumsum(count) - count, count)
    return cell, constant[cell] + (from_k[cell] + offset) * step[cell]
