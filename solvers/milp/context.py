"""What a lowering may use: the model being built, bounds of expressions, cuts that come later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from models.graph import Graph, Node
from models.graph.cells import Array
from models.graph.evaluate import Evaluator
from solvers.milp.activity import Activity, lattice
from solvers.milp.decision import Decision
from solvers.milp.expression import Expression, at_cells
from solvers.milp.grain import Grains, grains_of
from solvers.milp.linear import Indices, Linear
from solvers.milp.model import ModelBuilder, Rows

__all__ = ["Context", "CutSource"]

CutSource: TypeAlias = Callable[[Array], Rows | None]
"""From the values of all columns to rows that cut them off (valid for every assignment), or None."""


@dataclass(slots=True)
class Context:
    """One lowering in progress.

    ``lowered``: expressions of the nodes done so far, by node index; ``cuts``: sources of rows for later;
    ``detail``: how finely to approximate what cannot be stated exactly; ``coarse``: whether that happened and
    more detail would help.
    """

    graph: Graph
    decision: Decision
    model: ModelBuilder
    activity: Activity
    anywhere: Evaluator
    lowered: dict[int, Expression] = field(default_factory=dict)
    cuts: list[CutSource] = field(default_factory=list)
    detail: int = 0
    coarse: bool = False

    def range(self, linear: Linear) -> tuple[Array, Array]:
        """Smallest and largest value of each expression."""
        lower, upper, _ = self.model.column_bounds()
        return self.activity.range(linear, lower, upper)

    def highest(self, linear: Linear) -> Array:
        """Largest value of each expression."""
        lower, upper, _ = self.model.column_bounds()
        return self.activity.highest(linear, lower, upper)

    def lowest(self, linear: Linear) -> Array:
        """Smallest value of each expression."""
        lower, upper, _ = self.model.column_bounds()
        return self.activity.lowest(linear, lower, upper)

    def node_range(self, node: Node, expression: Expression) -> tuple[Array, Array]:
        """Smallest and largest value of each cell of a lowered node: by its columns and by its own bounds."""
        low, high = self.range(expression.linear)
        return (
            np.maximum(low, at_cells(node.bounds.low, expression)),
            np.minimum(high, at_cells(node.bounds.high, expression)),
        )

    def step(self, linear: Linear) -> Array:
        """Step of each expression's lattice, see `solvers.milp.activity.lattice`."""
        _, _, grain = self.model.column_bounds()
        return lattice(linear, grain)

    def grain(self, linear: Linear) -> Grains:
        """Grain of each expression's values, see `solvers.milp.grain`."""
        _, _, grain = self.model.column_bounds()
        return grains_of(linear, grain)

    def fresh(self, low: Array, high: Array, *, integer: bool = False, grain: Grains | None = None) -> Linear:
        """New columns as expressions; `integer` and `grain` as in `ModelBuilder.columns`."""
        return Linear.of_columns(self.model.columns(low, high, integer=integer, grain=grain))

    def binaries(self, n: int) -> Linear:
        """New columns that are 0 or 1, as expressions."""
        return self.fresh(np.zeros(n), np.ones(n), integer=True)

    def at_most(self, linear: Linear, upper: Array | float) -> None:
        """Rows ``linear <= upper``."""
        self.model.rows(linear, upper=upper)

    def constant(self, node: Node) -> Expression:
        """The expression of a node that is the same for every assignment."""
        return Expression.constant(node.axis, self.anywhere.value(node))

    def scattered(self, parts: list[tuple[Indices, Linear]], n: int) -> Linear:
        """One array of `n` expressions from parts with the positions they go to; together they cover all."""
        position = np.concatenate([p for p, _ in parts])
        order = np.empty(n, np.int64)
        order[position] = np.arange(n)
        return Linear.stacked([linear for _, linear in parts]).taken(order)
