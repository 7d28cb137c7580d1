"""The largest element along an axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.graph import Node
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.extremes import largest
from solvers.milp.flatten import with_background_peak
from solvers.milp.linear import Linear
from solvers.milp.operation import Lowering, Need

__all__ = ["LOWERINGS"]


class PeakLowering(Lowering):
    """From above ``y >= every element``, from below ``y <= a chosen one``; 0 where there is no element."""

    kinds = ("Peak",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return [need]

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        x, low, high, target = with_background_peak(ctx, node, children[0])
        reached, place = np.unique(target, return_inverse=True)
        y = largest(ctx, x, low, high, place, reached.size, need, whole=node.integral)
        empty = np.setdiff1d(np.arange(node.axis.size), reached)
        parts = [(reached, y), (empty, Linear.constants(np.zeros(empty.size)))]
        return Expression(node.axis, ctx.scattered(parts, node.axis.size))


LOWERINGS = (PeakLowering(),)
