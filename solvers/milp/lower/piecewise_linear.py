"""Straight lines through given points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.graph import Node
from models.graph.cells import Array
from models.graph.ops import PiecewiseLinear
from solvers.milp.context import Context
from solvers.milp.grain import ONE, UNKNOWN, Grains, combined, grain_of_numbers, grouped
from solvers.milp.linear import Linear
from solvers.milp.operation import Need, UnaryLowering
from solvers.milp.piecewise import Points, lines_above, through

__all__ = ["LOWERINGS"]


class PiecewiseLinearLowering(UnaryLowering):
    """Only the pieces each cell can reach; convex from above or concave from below needs no binaries."""

    kinds = ("PiecewiseLinear",)

    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        op = node.op
        assert isinstance(op, PiecewiseLinear)
        inner = op.x[1:-1]
        inside = (low[:, None] < inner) & (inner < high[:, None])
        straight = ~inside.any(axis=1)
        plain, bent = np.flatnonzero(straight), np.flatnonzero(~straight)
        piece = np.searchsorted(inner, (low[plain] + high[plain]) / 2)
        slope = op.slopes[piece]
        lines = x.taken(plain).scaled(slope).shifted(op.y[piece] - slope * op.x[piece])
        parts = [(plain, lines)]
        if bent.size:
            points = _points(op, low[bent], high[bent], inside[bent])
            parts.append((bent, _bent(ctx, need, x.taken(bent), points)))
        return ctx.scattered(parts, x.n)


def _points(op: PiecewiseLinear, low: Array, high: Array, inside: npt.NDArray[np.bool_]) -> Points:
    """The ends of each cell's interval and the given points between them."""
    cell, k = np.nonzero(inside)
    n = np.arange(low.size)
    cells = np.concatenate([n, cell, n])
    xs = np.concatenate([low, op.x[1:-1][k], high])
    order = np.lexsort((xs, cells))
    return Points(cells[order], xs[order], op.function(xs[order]))


def _bent(ctx: Context, need: Need, x: Linear, points: Points) -> Linear:
    _, cell, _, slope = points.pieces()
    bend = np.diff(slope)[np.diff(cell) == 0]
    for wanted, sign in ((Need.ABOVE, 1.0), (Need.BELOW, -1.0)):
        if need == wanted and np.all(sign * bend >= 0):
            turned = Points(points.cell, points.x, sign * points.y)
            low, high = np.full(x.n, np.inf), np.full(x.n, -np.inf)
            np.minimum.at(low, turned.cell, turned.y)
            np.maximum.at(high, turned.cell, turned.y)
            # at the operand's values the function moves by slope × grain; its points alone do not tell
            y = ctx.fresh(low, high, grain=_grain(ctx, x, turned))
            lines_above(ctx, x, y, turned)
            return y.scaled(sign)
    return through(ctx, x, points)


def _grain(ctx: Context, x: Linear, points: Points) -> Grains:
    """Grain of the function's values: of its points, and of what each piece adds for one grain of x."""
    first, cell, _, slope = points.pieces()
    ends = grouped(grain_of_numbers(points.x), points.cell, x.n)
    unit = combined(ctx.grain(x), ends)[cell]
    rise = np.where(unit >= 0, grain_of_numbers(slope * np.maximum(unit, 0) / ONE), UNKNOWN)
    start = grain_of_numbers(points.y[first])
    return grouped(combined(rise, start), cell, x.n)


LOWERINGS = (PiecewiseLinearLowering(),)
