"""``max(0, x)``."""

from __future__ import annotations

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from solvers.milp.context import Context
from solvers.milp.linear import Linear
from solvers.milp.operation import Need, UnaryLowering

__all__ = ["LOWERINGS"]


class PositivePartLowering(UnaryLowering):
    """From above ``y >= x, y >= 0``; from below one binary for each cell that can have either sign."""

    kinds = ("PositivePart",)

    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        zero, same = high <= 0, low >= 0
        mixed = ~zero & ~same
        part, lo, hi = x.taken(np.flatnonzero(mixed)), low[mixed], high[mixed]
        y = ctx.fresh(np.zeros(hi.size), hi, grain=ctx.grain(part))
        if need & Need.ABOVE:
            ctx.at_most(part - y, 0.0)
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


LOWERINGS = (PositivePartLowering(),)
