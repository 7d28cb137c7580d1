"""1 where x > 0."""

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
"""Least positive value assumed for amounts without a common measure, relative to max(1, largest)."""


class PresenceLowering(UnaryLowering):
    """A binary b: from above ``x <= 0 unless b``, from below ``x >= least positive value if b``."""

    kinds = ("Presence",)

    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        off, on = np.flatnonzero(high <= TOLERANCE), np.flatnonzero(low > TOLERANCE)
        free = np.flatnonzero((high > TOLERANCE) & (low <= TOLERANCE))
        part, lo, hi = x.taken(free), low[free], high[free]
        step = ctx.step(part)
        known = step > 0
        unit = np.where(known, step, 1.0)
        # the largest lattice value that counts as absent and the smallest that counts as present
        below = part.constant + np.floor((TOLERANCE - part.constant) / unit + 1e-9) * unit
        absent = np.where(known, np.maximum(below, lo), TOLERANCE)
        present = np.where(known, below + unit, SMALLEST * np.maximum(1.0, hi))
        b = ctx.binaries(free.size)
        if need & Need.ABOVE:
            ctx.at_most(part - b.scaled(hi - absent), absent)
        if need & Need.BELOW:
            ctx.at_most(b.scaled(present - lo) - part, -lo)
        return ctx.scattered(
            [
                (off, Linear.constants(np.zeros(off.size))),
                (on, Linear.constants(np.ones(on.size))),
                (free, b),
            ],
            x.n,
        )


LOWERINGS = (PresenceLowering(),)
