"""``max(0, x)``."""

from __future__ import annotations

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from solvers.milp.context import Context
from solvers.milp.linear import Linear
from solvers.milp.operation import Need, UnaryLowering

__all__ = ["LOWERINGS"]

ROUNDING = 1e-6
"""How near to 0, as a part of the step, a lattice value counts as 0."""
FINEST = 1e-6
"""Steps up to this, as a part of the range of x, are left to rounding."""


class PositivePartLowering(UnaryLowering):
    """From above ``y >= x, y >= 0``; from below one binary for each cell that can have either sign.

    Where x is known to take values of a lattice only, and 0 is not one of them, the line through its
    neighbours (x₋, 0) and (x₊, x₊) is a third row from above: no other line through lattice points is as high
    at fractional solutions near the kink.
    """

    kinds = ("PositivePart",)

    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        zero, same = high <= 0, low >= 0
        mixed = ~zero & ~same
        part, lo, hi = x.taken(np.flatnonzero(mixed)), low[mixed], high[mixed]
        y = ctx.fresh(np.zeros(hi.size), hi, grain=ctx.grain(part))
        if need & Need.ABOVE:
            ctx.at_most(part - y, 0.0)
            self._between(ctx, part, y, hi - lo)
        if need & Need.BELOW:
            positive = ctx.binaries(hi.size)
            ctx.at_most(Linear.summed([y, part.scaled(-1.0), positive.scaled(-lo)]), -lo)
            ctx.at_most(y - positive.scaled(hi), 0.0)
        return ctx.scattered(
            [
                (np.flatnonzero(zero), Linear.constants(np.zeros(int(zero.sum())))),
                (np.flatnonzero(same & ~zero), x.taken(np.flatnonzero(same & ~zero))),
                (np.flatnonzero(mixed), y),
            ],
            x.n,
        )

    @staticmethod
    def _between(ctx: Context, x: Linear, y: Linear, width: Array) -> None:
        step = ctx.step(x)
        known = np.flatnonzero((step > FINEST * width) & np.isfinite(step))
        unit = step[known]
        above = np.mod(x.constant[known], unit)  # the least lattice value that is not negative
        off = (above > ROUNDING * unit) & (above < (1.0 - ROUNDING) * unit)
        known, unit, above = known[off], unit[off], above[off]
        slope = above / unit
        ctx.at_most(x.taken(known).scaled(slope) - y.taken(known), slope * (above - unit))


LOWERINGS = (PositivePartLowering(),)
