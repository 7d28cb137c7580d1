"""``x · p`` where p is 0 or 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.graph import Node
from solvers.milp.context import Context
from solvers.milp.expression import Expression, aligned
from solvers.milp.linear import Linear
from solvers.milp.operation import Lowering, Need, flipped

__all__ = ["LOWERINGS"]


class PresenceProductLowering(Lowering):
    """McCormick's rows, exact because p is whole; none where either factor is fixed."""

    kinds = ("PresenceProduct",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        x = node.children[0].bounds
        if x.lowest >= 0:
            return [need, need]
        return [need, flipped(need) if x.highest <= 0 else Need.EXACT]

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        left, right = aligned(children)
        x, p = left.linear, right.linear
        low, high = ctx.node_range(node.children[0], left)
        p_low, p_high = ctx.node_range(node.children[1], right)
        off, on = np.flatnonzero(p_high < 0.5), np.flatnonzero(p_low > 0.5)
        open_p = (p_high >= 0.5) & (p_low <= 0.5)
        same = np.flatnonzero(open_p & (high <= low))
        mixed = np.flatnonzero(open_p & (high > low))
        part, switch, lo, hi = x.taken(mixed), p.taken(mixed), low[mixed], high[mixed]
        y = ctx.fresh(np.minimum(lo, 0.0), np.maximum(hi, 0.0), grain=ctx.grain(part))
        if need & Need.ABOVE:
            ctx.at_most(Linear.summed([part, switch.scaled(hi), y.scaled(-1.0)]), hi)
            ctx.at_most(switch.scaled(lo) - y, 0.0)
        if need & Need.BELOW:
            ctx.at_most(Linear.summed([y, part.scaled(-1.0), switch.scaled(-lo)]), -lo)
            ctx.at_most(y - switch.scaled(hi), 0.0)
        linear = ctx.scattered(
            [
                (off, Linear.constants(np.zeros(off.size))),
                (on, x.taken(on)),
                (same, p.taken(same).scaled(low[same])),
                (mixed, y),
            ],
            x.n,
        )
        if left.keys is None:
            return Expression(node.axis, linear)
        assert left.background is not None
        assert right.background is not None
        return Expression(node.axis, linear, left.keys, left.background * right.background)


LOWERINGS = (PresenceProductLowering(),)
