"""The k-th largest element along an axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.graph import Node
from models.graph.ops import KthLargest
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.flatten import candidates
from solvers.milp.grain import grouped
from solvers.milp.linear import Linear
from solvers.milp.operation import Lowering, Need

__all__ = ["LOWERINGS"]


class KthLargestLowering(Lowering):
    """From above at most k − 1 elements exceed y; from below k chosen elements reach y."""

    kinds = ("KthLargest",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return [need]

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op = node.op
        assert isinstance(op, KthLargest)
        x, low, high, target = candidates(ctx, node, children[0])
        n = node.axis.size
        enough = np.bincount(target, minlength=n) >= op.k
        kept = np.flatnonzero(enough[target])
        x, low, high, target = x.taken(kept), low[kept], high[kept], target[kept]
        bottom, top = op.groupwise(low, target, n), op.groupwise(high, target, n)
        y = ctx.fresh(bottom, top, grain=grouped(ctx.grain(x), target, n))
        if need & Need.ABOVE:
            # what can never exceed the least possible k-th largest needs no row
            risky = np.flatnonzero(high > bottom[target])
            of = target[risky]
            beyond = ctx.binaries(risky.size)
            reach = high[risky] - bottom[of]
            ctx.at_most(Linear.summed([x.taken(risky), y.taken(of).scaled(-1.0), beyond.scaled(-reach)]), 0.0)
            ctx.at_most(beyond.reduced(of, n), float(op.k - 1))
        if need & Need.BELOW:
            chosen = ctx.binaries(x.n)
            slack = np.maximum(top[target] - low, 0.0)
            ctx.at_most(Linear.summed([y.taken(target), x.scaled(-1.0), chosen.scaled(slack)]), slack)
            ctx.model.rows(chosen.reduced(target, n), lower=np.where(enough, float(op.k), 0.0))
        return Expression(node.axis, y)


LOWERINGS = (KthLargestLowering(),)
