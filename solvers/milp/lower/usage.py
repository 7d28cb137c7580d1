"""Usage leaves: sums over decision columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.graph import Node
from models.graph.ops import GroupUsage, Usage
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.linear import Indices, Linear
from solvers.milp.operation import Lowering, Need

__all__ = ["LOWERINGS"]


def _present(ctx: Context, op: Usage | GroupUsage) -> tuple[Indices, Indices]:
    """(decision column, scope item) pairs that count."""
    d = ctx.decision
    columns, items = op.scope.expand(d.container)
    if op.counted == "after":
        return columns, items
    stayed = op.scope.contains(ctx.graph.space.initial[d.representative[columns]], items)
    keep = stayed if op.counted == "stayed" else ~stayed
    return columns[keep], items[keep]


class UsageLowering(Lowering):
    """``Σ weight · column`` over the columns whose container lies in the scope item."""

    kinds = ("Usage",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return ()

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op = node.op
        assert isinstance(op, Usage)
        columns, items = _present(ctx, op)
        weights = op.weights.at(ctx.decision.representative[columns], items)
        d = weights.shape[1]
        row = (items[:, None] * d + np.arange(d)).reshape(-1)
        zero = np.zeros(node.axis.size)
        return Expression(node.axis, Linear.collected(row, np.repeat(columns, d), weights.reshape(-1), zero))


class GroupUsageLowering(Lowering):
    """The same for each (group, scope item) some object with a weight can reach; all others are 0."""

    kinds = ("GroupUsage",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return ()

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op = node.op
        assert isinstance(op, GroupUsage)
        columns, items = _present(ctx, op)
        weights = op.weights.at(ctx.decision.representative[columns], items)[:, 0]
        columns, items, weights = columns[weights != 0], items[weights != 0], weights[weights != 0]
        position, group = op.partition.expand(ctx.decision.representative[columns])
        keys, row = np.unique(group * op.scope.items.size + items[position], return_inverse=True)
        linear = Linear.collected(row, columns[position], weights[position], np.zeros(keys.size))
        return Expression(node.axis, linear, keys.astype(np.int64), np.zeros((1, 1)))


LOWERINGS = (UsageLowering(), GroupUsageLowering())
