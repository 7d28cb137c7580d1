"""Squares and powers: smooth convex functions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from models.graph.ops import Power, Square
from solvers.milp.context import Context
from solvers.milp.grain import Grains, grain_of_numbers, grouped
from solvers.milp.linear import Indices, Linear
from solvers.milp.model import Rows
from solvers.milp.operation import Need, UnaryLowering
from solvers.milp.piecewise import Points, lattice_points, lines_above, through

__all__ = ["LOWERINGS"]

FEW = 40
"""Up to this many possible values an operand's points are all stated at once."""
FIRST_LINES = 9
"""Number of lines a cell starts with otherwise; more come where solutions need them."""
PIECES = 16
"""Number of pieces from below at the first level of detail; four times as many at each next one."""


class ConvexLowering(UnaryLowering):
    """Convex functions of an operand.

    Where the operand has few possible values, straight lines between neighbouring ones are exact: from above
    as rows, from below as a piecewise linear function. Otherwise from above lines are added where a solution
    lies below the function, from below chords lie above it and become more with the level of detail; both
    are relaxations, so their error shows in the gap.
    """

    kinds = ("Square", "Power")

    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        op = node.op
        assert isinstance(op, (Square, Power))
        step = ctx.step(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            few = (step > 0) & ((high - low) / np.where(step > 0, step, 1.0) <= FEW)
        parts = []
        for mask, lowering in ((few, _listed), (~few, _approximated)):
            chosen = np.flatnonzero(mask)
            if chosen.size:
                args = (x.taken(chosen), low[chosen], high[chosen], step[chosen])
                parts.append((chosen, lowering(ctx, op, need, *args)))
        return ctx.scattered(parts, x.n)


def _slope(op: Square | Power, at: Array) -> Array:
    if isinstance(op, Square):
        return 2.0 * at
    return np.asarray(op.exponent * np.maximum(at, 0.0) ** (op.exponent - 1.0))


def _column(ctx: Context, op: Square | Power, low: Array, high: Array, grain: Grains | None = None) -> Linear:
    ends = op.function(low), op.function(high)
    bottom = np.where((low < 0) & (high > 0), 0.0, np.minimum(*ends))
    return ctx.fresh(bottom, np.maximum(*ends), grain=grain)


def _listed(
    ctx: Context, op: Square | Power, need: Need, x: Linear, low: Array, high: Array, step: Array
) -> Linear:
    """Cells whose operand takes few values."""
    cell, value = lattice_points(low, high, x.constant, step)
    points = Points(cell, value, op.function(value))
    several = np.bincount(cell, minlength=x.n) > 1
    lone = np.flatnonzero(~several)
    many = np.flatnonzero(several)
    place = np.cumsum(several) - 1
    kept = several[cell]
    points = Points(place[cell[kept]], value[kept], points.y[kept])
    part = x.taken(many)
    if need & Need.BELOW:
        y = through(ctx, part, points)
    else:
        grain = grouped(grain_of_numbers(points.y), points.cell, many.size)
        y = _column(ctx, op, low[many], high[many], grain)
        lines_above(ctx, part, y, points)
    first = np.searchsorted(cell, lone)
    return ctx.scattered([(lone, Linear.constants(op.function(value[first]))), (many, y)], x.n)


def _approximated(
    ctx: Context, op: Square | Power, need: Need, x: Linear, low: Array, high: Array, step: Array
) -> Linear:
    """Cells whose operand takes many values, or any."""
    y = _column(ctx, op, low, high)
    if need & Need.BELOW:
        ctx.coarse = True
        n = PIECES * 4**ctx.detail + 1
        cell = np.repeat(np.arange(x.n), n)
        value = low[cell] + np.tile(np.linspace(0.0, 1.0, n), x.n) * (high - low)[cell]
        ctx.at_most(y - through(ctx, x, Points(cell, value, op.function(value))), 0.0)
    if need & Need.ABOVE:
        cell = np.repeat(np.arange(x.n), FIRST_LINES)
        at = low[cell] + np.tile(np.linspace(0.0, 1.0, FIRST_LINES), x.n) * (high - low)[cell]
        lines = _touching(op, x, y, step)
        rows = lines(cell, at)
        ctx.model.rows(rows.linear, upper=rows.upper)
        ctx.cuts.append(_separator(op, x, y, lines))
    return y


def _touching(op: Square | Power, x: Linear, y: Linear, step: Array) -> Callable[[Indices, Array], Rows]:
    """Rows ``y >= line`` near operand values `at` of cells: between two lattice values, else the tangent."""

    def lines(cell: Indices, at: Array) -> Rows:
        known = step[cell] > 0
        unit = np.where(known, step[cell], 1.0)
        nearest = np.where(known, np.rint((at - x.constant[cell]) / unit) * unit + x.constant[cell], at)
        lines_at = []
        for shift in (-1.0, 0.0):
            left = nearest + shift * unit
            chord = (op.function(left + unit) - op.function(left)) / unit
            slope = np.where(known, chord, _slope(op, at))
            start = np.where(known, left, at)
            lines_at.append((slope, op.function(start) - slope * start))
        both = np.concatenate([cell, cell[known]])
        slope = np.concatenate([lines_at[0][0], lines_at[1][0][known]])
        base = np.concatenate([lines_at[0][1], lines_at[1][1][known]])
        linear = x.taken(both).scaled(slope) - y.taken(both)
        none = np.full(both.size, -1, np.int64)
        return Rows(linear, np.full(both.size, -np.inf), -base, none)

    return lines


def _separator(
    op: Square | Power, x: Linear, y: Linear, lines: Callable[[Indices, Array], Rows]
) -> Callable[[Array], Rows | None]:
    def cut(solution: Array) -> Rows | None:
        at = x.values(solution)
        value = op.function(at)
        off = np.flatnonzero(value - y.values(solution) > 1e-8 * np.maximum(1.0, np.abs(value)))
        return lines(off, at[off]) if off.size else None

    return cut


LOWERINGS = (ConvexLowering(),)
