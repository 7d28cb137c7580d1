"""The sum of the k largest elements along an axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from models.graph.ops import LargestSum
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.flatten import candidates
from solvers.milp.grain import grouped
from solvers.milp.linear import Indices, Linear
from solvers.milp.operation import Lowering, Need

__all__ = ["LOWERINGS"]


class LargestSumLowering(Lowering):
    """From above by its dual, ``k · t + Σ max(0, x − t)`` for some t; from below by choosing k elements."""

    kinds = ("LargestSum",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return [need]

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op = node.op
        assert isinstance(op, LargestSum)
        x, low, high, target = candidates(ctx, node, children[0])
        n = node.axis.size
        all_of_them = np.bincount(target, minlength=n) <= op.k
        plain = np.where(all_of_them[target], target, -1)
        kept = np.flatnonzero(~all_of_them[target])
        args = (x.taken(kept), low[kept], high[kept], target[kept], op.k, n)
        if need == Need.ABOVE:
            rest = _dual(ctx, *args)
        elif need == Need.BELOW:
            rest = _chosen(ctx, *args)
        else:
            grain = grouped(ctx.grain(args[0]), args[3], n)
            rest = ctx.fresh(op.groupwise(low, target, n), op.groupwise(high, target, n), grain=grain)
            rest = rest.scaled(np.where(all_of_them, 0.0, 1.0))
            ctx.at_most(_dual(ctx, *args) - rest, 0.0)
            ctx.at_most(rest - _chosen(ctx, *args), 0.0)
        return Expression(node.axis, x.reduced(plain, n) + rest)


def _dual(ctx: Context, x: Linear, low: Array, high: Array, target: Indices, k: int, n: int) -> Linear:
    bottom, top = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(bottom, target, low)
    np.maximum.at(top, target, high)
    reached = np.isfinite(bottom)
    # the best threshold is one of the values, so both have the grain of them all
    grain = grouped(ctx.grain(x), target, n)
    threshold = ctx.fresh(np.where(reached, bottom, 0.0), np.where(reached, top, 0.0), grain=grain)
    beyond = ctx.fresh(np.zeros(x.n), high - bottom[target], grain=grain[target])
    ctx.at_most(Linear.summed([x, threshold.taken(target).scaled(-1.0), beyond.scaled(-1.0)]), 0.0)
    return threshold.scaled(np.where(reached, float(k), 0.0)) + beyond.reduced(target, n)


def _chosen(ctx: Context, x: Linear, low: Array, high: Array, target: Indices, k: int, n: int) -> Linear:
    chosen = ctx.binaries(x.n)
    part = ctx.fresh(np.minimum(low, 0.0), np.maximum(high, 0.0), grain=ctx.grain(x))
    ctx.at_most(Linear.summed([part, x.scaled(-1.0), chosen.scaled(-low)]), -low)
    ctx.at_most(part - chosen.scaled(high), 0.0)
    has = np.bincount(target, minlength=n) > 0
    ctx.model.rows(
        chosen.reduced(target, n), lower=np.where(has, float(k), 0.0), upper=np.where(has, float(k), 0.0)
    )
    return part.reduced(target, n)


LOWERINGS = (LargestSumLowering(),)
