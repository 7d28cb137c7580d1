"""The largest or smallest of several nodes, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from solvers.milp.context import Context
from solvers.milp.expression import Expression, aligned
from solvers.milp.extremes import largest
from solvers.milp.linear import Linear
from solvers.milp.operation import Lowering, Need, flipped

__all__ = ["LOWERINGS"]


class ExtremumLowering(Lowering):
    """`Maximum` as the largest of a group for each cell; `Minimum` as the negated largest of the negated."""

    kinds = ("Maximum", "Minimum")

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return [need] * len(node.children)

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        sign = 1.0 if node.op.kind == "Maximum" else -1.0
        parts = aligned(children)
        n = parts[0].linear.n
        lows: list[Array] = []
        highs: list[Array] = []
        for child, part in zip(node.children, parts, strict=True):
            low, high = ctx.node_range(child, part)
            lows.append(low if sign > 0 else -high)
            highs.append(high if sign > 0 else -low)
        y = largest(
            ctx,
            Linear.stacked([p.linear.scaled(sign) for p in parts]),
            np.concatenate(lows),
            np.concatenate(highs),
            np.tile(np.arange(n), len(parts)),
            n,
            need if sign > 0 else flipped(need),
        ).scaled(sign)
        if parts[0].keys is None:
            return Expression(node.axis, y)
        backgrounds = [np.asarray(p.background, np.float64) * sign for p in parts]
        return Expression(node.axis, y, parts[0].keys, reduce(np.maximum, backgrounds) * sign)


LOWERINGS = (ExtremumLowering(),)
