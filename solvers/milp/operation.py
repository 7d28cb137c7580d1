"""What a lowering of one kind of operation must provide."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from models.graph import Node
from models.graph.cells import Array
from models.graph.ops.base import Monotone
from models.graph.ops.unary import Unary
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.linear import Linear

__all__ = ["Lowering", "Need", "UnaryLowering", "flipped"]


class Need(enum.IntFlag):
    """From which side an expression must meet its node.

    ``ABOVE``: it may not be less than the node's value (limits and goals that push it down); ``BELOW``: not
    more.
    Whatever a lowering adds must leave every assignment possible with the expression equal to the value.
    """

    NONE = 0
    ABOVE = 1
    BELOW = 2
    EXACT = 3


def flipped(need: Need) -> Need:
    """The need of a node that enters with a negative sign."""
    return {Need.ABOVE: Need.BELOW, Need.BELOW: Need.ABOVE}.get(need, need)


class Lowering(ABC):
    """Rows and columns for one kind of node. Instances are stateless."""

    kinds: ClassVar[tuple[str, ...]]
    """Names of the operations (`Op.kind`) it lowers."""

    @abstractmethod
    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        """What is needed of each child when `need` is needed of `node`."""

    @abstractmethod
    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        """The node as expressions of columns, adding columns and rows to ``ctx.model``.

        Exact, or a relaxation: where a lowering approximates, it lets the expression be better than the
        value, never worse, and gives ``ctx.cuts`` a source of rows that close the difference.
        """


class UnaryLowering(Lowering):
    """Elementwise functions of one operand; subclasses see only the cells whose operand varies."""

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        assert isinstance(node.op, Unary)
        _, monotone = node.op.shape_on(node.children[0].bounds)
        if monotone is Monotone.NEITHER:
            return [Need.EXACT]
        return [need if monotone is Monotone.UP else flipped(need)]

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op, child = node.op, children[0]
        assert isinstance(op, Unary)
        low, high = ctx.node_range(node.children[0], child)
        fixed = (high <= low) | (np.bincount(child.linear.row, minlength=child.linear.n) == 0)
        value = np.where(
            np.bincount(child.linear.row, minlength=child.linear.n) == 0, child.linear.constant, low
        )
        parts = [(np.flatnonzero(fixed), Linear.constants(op.function(value[fixed])))]
        varying = np.flatnonzero(~fixed)
        if varying.size:
            made = self.cells(ctx, node, need, child.linear.taken(varying), low[varying], high[varying])
            parts.append((varying, made))
        return child.mapped(ctx.scattered(parts, child.linear.n), op.function)

    @abstractmethod
    def cells(self, ctx: Context, node: Node, need: Need, x: Linear, low: Array, high: Array) -> Linear:
        """``f(x)`` where ``low <= x <= high`` and ``low < high`` for each of the expressions `x`."""
