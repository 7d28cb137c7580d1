"""What it costs that two objects are where they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.errors import Unsupported
from models.graph import Node
from models.graph.ops import PairCost
from solvers.milp.context import Context
from solvers.milp.expression import Expression
from solvers.milp.grain import ONE
from solvers.milp.linear import Indices, Linear
from solvers.milp.operation import Lowering, Need

__all__ = ["LOWERINGS"]

LIMIT = 5_000_000
"""Largest number of columns for pairs of places."""


class PairCostLowering(Lowering):
    """One column for each pair of objects and pair of items they can be in.

    The columns of a pair sum to "first is in s" over the second's items, and the other way round (Adams and
    Johnson's linearisation of the quadratic assignment problem): exact from both sides, no further binaries.
    """

    kinds = ("PairCost",)

    def child_needs(self, node: Node, need: Need) -> Sequence[Need]:
        return ()

    def lower(self, ctx: Context, node: Node, need: Need, children: Sequence[Expression]) -> Expression:
        op = node.op
        assert isinstance(op, PairCost)
        places = _Places(ctx, op)
        ends, inverse = np.unique(np.stack([op.first, op.second]), axis=1, return_inverse=True)
        rate = np.bincount(inverse.reshape(-1), op.rate, ends.shape[1])
        pairs = [(int(a), int(b), r) for (a, b), r in zip(ends.T.tolist(), rate.tolist(), strict=True) if r]
        wanted = sum(places.items(a).size * places.items(b).size for a, b, _ in pairs if a != b)
        if wanted > LIMIT:
            raise Unsupported(
                f"PairCost over {len(pairs)} pairs needs {wanted} columns (limit {LIMIT}); "
                "use the search solver, or a scope with fewer items"
            )
        total = [Linear.constants(np.zeros(1))]
        for a, b, r in pairs:
            total.append(self._pair(ctx, op, places, a, b).scaled(r))
        return Expression(node.axis, Linear.summed(total))

    @staticmethod
    def _pair(ctx: Context, op: PairCost, places: _Places, a: int, b: int) -> Linear:
        s, t = places.items(a), places.items(b)
        in_s, in_t = places.indicators(a), places.indicators(b)
        if a == b:
            return in_s.scaled(op.distance[s, s]).reduced(np.zeros(s.size, np.int64), 1)
        row, column = np.divmod(np.arange(s.size * t.size), t.size)
        both = ctx.fresh(np.zeros(row.size), np.ones(row.size), grain=np.full(row.size, ONE))
        ctx.model.rows(both.reduced(row, s.size) - in_s, lower=0.0, upper=0.0)
        ctx.model.rows(both.reduced(column, t.size) - in_t, lower=0.0, upper=0.0)
        return both.scaled(op.distance[s[row], t[column]]).reduced(np.zeros(row.size, np.int64), 1)


class _Places:
    """For each object the items it can be in, the last being "outside", with an expression for each."""

    def __init__(self, ctx: Context, op: PairCost) -> None:
        d = ctx.decision
        self._class = d.classes.of
        item = op.scope.single[d.container].astype(np.int64)
        self._item = np.where(item < 0, op.scope.items.size, item)
        self._start = np.searchsorted(d.of_class, np.arange(d.classes.n + 1))
        self._cache: dict[int, tuple[Indices, Linear]] = {}

    def _of(self, o: int) -> tuple[Indices, Linear]:
        if o not in self._cache:
            k = int(self._class[o])
            columns = np.arange(self._start[k], self._start[k + 1])
            items, place = np.unique(self._item[columns], return_inverse=True)
            self._cache[o] = items, Linear.of_columns(columns).reduced(place, items.size)
        return self._cache[o]

    def items(self, o: int) -> Indices:
        """int64[k]: items object `o` can be in, ascending."""
        return self._of(o)[0]

    def indicators(self, o: int) -> Linear:
        """For each of these items whether `o` is in it."""
        return self._of(o)[1]


LOWERINGS = (PairCostLowering(),)
