"""``|x|``."""

from __future__ import annotations

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from solvers.milp.context import Context
from solvers.milp.linear import Linear
from solvers.milp.operation import Need, UnaryLowering

__all__ = ["LOWERINGS"]


class AbsoluteLowering(UnaryLowering):
    """From above ``y >= x, y >= −x``; from below one binary for each cell that can have either sign."""

    kinds = ("Absolute",)

    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        negative, positive = np.flatnonzero(high <= 0), np.flatnonzero((low >= 0) & (high > 0))
        mixed = np.flatnonzero((low < 0) & (high > 0))
        part, lo, hi = x.taken(mixed), low[mixed], high[mixed]
        y = ctx.fresh(np.zeros(hi.size), np.maximum(-lo, hi), grain=ctx.grain(part))
        if need & Need.ABOVE:
            ctx.at_most(part - y, 0.0)
            ctx.at_most(part.scaled(-1.0) - y, 0.0)
        if need & Need.BELOW:
            up = ctx.binaries(hi.size)
            ctx.at_most(Linear.summed([y, part.scaled(-1.0), up.scaled(-2.0 * lo)]), -2.0 * lo)
            ctx.at_most(Linear.summed([y, part, up.scaled(-2.0 * hi)]), 0.0)
        return ctx.scattered(
            [(negative, x.taken(negative).scaled(-1.0)), (positive, x.taken(positive)), (mixed, y)], x.n
        )


LOWERINGS = (AbsoluteLowering(),)
