"""Sums with coefficients: no new columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.graph import Node
from models.graph.ops import Affine
from solvers.milp.context import Context
from solvers.milp.expression import Expression, aligned, at_cells
from solvers.milp.linear import Linear
from solvers.milp.operation import Lowering, Need, flipped

__all__ = ["LOWERINGS"]


class AffineLowering(Lowering):
    """``Σ coefficient · child + constant``."""

    kinds = ("Affine",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        assert isinstance(node.op, Affine)
        out = []
        for c in node.op.coefficients:
            if np.all(c >= 0):
                out.append(need)
            else:
                out.append(flipped(need) if np.all(c <= 0) else Need.EXACT)
        return out

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op = node.op
        assert isinstance(op, Affine)
        parts = aligned(children)
        terms = [
            part.linear.scaled(at_cells(c, part)) for part, c in zip(parts, op.coefficients, strict=True)
        ]
        linear = Linear.summed(terms).shifted(at_cells(op.constant, parts[0]))
        if parts[0].keys is None:
            return Expression(node.axis, linear)
        background = np.asarray(op.constant, np.float64)
        for part, c in zip(parts, op.coefficients, strict=True):
            assert part.background is not None
            background = background + c * part.background
        if background.ndim != 2:
            background = background.reshape(1, 1)
        return Expression(node.axis, linear, parts[0].keys, background)


LOWERINGS = (AffineLowering(),)
