"""The smallest whole number not below x."""

from __future__ import annotations

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from models.graph.ops.unary import TOLERANCE
from solvers.milp.context import Context
from solvers.milp.linear import Linear
from solvers.milp.operation import Need, UnaryLowering

__all__ = ["LOWERINGS"]

SMALLEST = 1e-6
"""Least distance above a whole number assumed for amounts without a common measure."""


class CeilingLowering(UnaryLowering):
    """A whole column y: from above ``y >= x``, from below ``y <= x + 1 − (least positive fraction)``."""

    kinds = ("Ceiling",)

    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        step = ctx.step(x)
        if np.all(step == 1.0) and np.all(x.constant == np.rint(x.constant)):
            return x
        y = ctx.fresh(np.ceil(low - TOLERANCE), np.ceil(high - TOLERANCE), integer=True)
        if need & Need.ABOVE:
            # a value a rounding error above a whole number is that number
            ctx.at_most(x - y, TOLERANCE)
        if need & Need.BELOW:
            ctx.at_most(y - x, 1.0 - _least_fraction(x.constant, step))
        return y


def _least_fraction(constant: Array, step: Array) -> Array:
    """Least ``x − floor(x) > 0`` over lattice values x, as a lower estimate: float64[n]."""
    out = np.full(constant.size, SMALLEST)
    for scale in (1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6):
        whole_step, whole_constant = np.rint(step * scale), np.rint(constant * scale)
        fits = (step > 0) & (np.abs(step * scale - whole_step) < 1e-6)
        fits &= (np.abs(constant * scale - whole_constant) < 1e-6) & (out == SMALLEST) & (whole_step >= 1)
        if fits.any():
            together = np.gcd(whole_step[fits].astype(np.int64), whole_constant[fits].astype(np.int64))
            out[fits] = np.gcd(together, int(scale)) / scale
    return out


LOWERINGS = (CeilingLowering(),)
