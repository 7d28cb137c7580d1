"""Sums along an axis: no new columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.graph import Cells, Node
from models.graph.cells import at_keys
from models.graph.ops import Total
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.operation import Lowering, Need

__all__ = ["LOWERINGS"]


class TotalLowering(Lowering):
    """The sum of cells; elements that are no cells add their constant background."""

    kinds = ("Total",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return [need]

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op, child = node.op, children[0]
        assert isinstance(op, Total)
        target = op.onto.of(child.axis, child.keys)
        linear = child.linear
        if child.keys is None:
            return Expression(node.axis, linear.reduced(target, node.axis.size))
        assert child.background is not None
        surplus = linear.shifted(-at_keys(child.background, child.keys, child.shape))
        nowhere = Cells(child.shape, child.background, np.empty(0, np.int64), np.empty(0))
        rest = op.evaluate([nowhere], [child.axis])
        assert not isinstance(rest, Cells)
        return Expression(node.axis, surplus.reduced(target, node.axis.size).shifted(rest))


LOWERINGS = (TotalLowering(),)
