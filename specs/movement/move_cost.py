"""What a move costs, by where it goes from and to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.graph import Node
from models.graph.cells import Array
from models.graph.space import Ints
from specs.compiler import Compiler
from specs.derived import item_weights, one
from specs.dimension import COUNT
from specs.movement.minimize_movement import move_costs
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["MoveCost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCost(Spec):
    """``Σ_o weight(o) · cost[item at the start, item at the end]`` over the objects that change item.

    In the unit of the costs times that of the dimension (by default: per object). Objects that start or end
    outside of the scope cost nothing; staying on an item costs nothing.

    Parameters
    ----------
    scope
        Whose items the costs are between; without overlaps.
    costs
        Item → {item: cost of moving from the first to the second}, or float64[n_items, n_items].
    default
        Cost of pairs of different items that are not listed.
    dimension
        What moves; it may not depend on the place.
    """

    scope: str
    costs: Mapping[str, Mapping[str, float]] | npt.NDArray[np.float64] = field(default_factory=dict)
    default: float = 0.0
    dimension: str = COUNT

    def _table(self, problem: Problem) -> Array:
        """float64[n_items, n_items], 0 on the diagonal."""
        items = problem.items(self.scope)
        if not problem.scope(self.scope).disjoint:
            raise InvalidInput(f"move_cost: the items of {self.scope!r} overlap")
        table = np.full((items.size, items.size), float(self.default))
        if isinstance(self.costs, np.ndarray):
            if self.costs.shape != table.shape:
                raise InvalidInput(f"move_cost: costs need shape {table.shape}, got {self.costs.shape}")
            table[:] = self.costs
        else:
            for start, row in self.costs.items():
                for end, cost in row.items():
                    table[one(items, start), one(items, end)] = cost
        if not np.all(np.isfinite(table)):
            raise InvalidInput("move_cost: every cost must be a finite number")
        np.fill_diagonal(table, 0.0)
        return table

    def goal(self, c: Compiler) -> Node:
        problem, table = c.problem, self._table(c.problem)
        scope = problem.scope(self.scope)
        weight = move_costs(problem, self.dimension, True)
        start = scope.single[problem.space.initial]
        # objects with the same start and weight share a row
        keys, rows = np.unique(np.column_stack([start, weight]), axis=0, return_inverse=True)
        inside = keys[:, 0] >= 0
        entries = np.where(inside[:, None], table[keys[:, 0].astype(np.int64)] * keys[:, 1:], 0.0)
        held = item_weights(problem, self.scope, rows.reshape(-1).astype(np.int32), entries, len(keys))
        return c.total(c.usage(scope, held))

    def check(self, problem: Problem, assignment: Ints) -> float:
        table, weight = self._table(problem), move_costs(problem, self.dimension, True)
        item_of = problem.scope(self.scope).single
        total = 0.0
        for o, (a, b) in enumerate(zip(problem.space.initial, assignment, strict=True)):
            start, end = item_of[a], item_of[b]
            if start >= 0 and end >= 0:
                total += float(weight[o] * table[start, end])
        return total

    def describe(self) -> str:
        return f"moves between items of {self.scope} are cheap"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="rack", costs={"r0": {"r1": 5}}, default=1)
        # t0: r0 to r1; t1: r1 to r0; t2 stays in r0
        return sample(spec, start=[0, 2, 0], end=[2, 0, 1], hosts=3, racks=[0, 0, 1], value=6.0)
