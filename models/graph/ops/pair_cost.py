"""The leaf for pairs of objects: what it costs that they are where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.axis import SCALAR, AnyAxis
from models.graph.cells import Array, Value
from models.graph.ops.base import Bounds, Curvature, LeafOp
from models.graph.space import AssignmentSpace, Ints, Scope

__all__ = ["PairCost"]


@dataclass(frozen=True, eq=False)
class PairCost(LeafOp):
    """``Σ_k rate[k] · distance[item of first[k], item of second[k]]``, a scalar.

    Parameters
    ----------
    scope
        Disjoint.
    first, second
        int32[n_pairs]: objects.
    rate
        float64[n_pairs].
    distance
        float64[n_items + 1, n_items + 1]; the last row and column are for objects outside the scope.
    """

    scope: Scope
    first: Ints
    second: Ints
    rate: Array
    distance: Array

    def __post_init__(self) -> None:
        if not self.scope.disjoint:
            raise InvalidInput(f"pair costs need a scope without overlaps, {self.scope.name!r} has some")
        n = self.scope.items.size + 1
        if self.distance.shape != (n, n):
            raise InvalidInput(f"distances over {self.scope.name!r} need shape ({n}, {n})")

    @property
    def leaf_axis(self) -> AnyAxis:
        return SCALAR

    def evaluate(self, space: AssignmentSpace, assignment: Ints) -> Value:
        item = self.scope.single[assignment]
        return np.array([float(np.sum(self.rate * self.distance[item[self.first], item[self.second]]))])

    def bounds(self, space: AssignmentSpace) -> Bounds:
        at_low = np.where(self.rate >= 0, self.distance.min(), self.distance.max())
        at_high = np.where(self.rate >= 0, self.distance.max(), self.distance.min())
        return Bounds.make(np.array([np.sum(self.rate * at_low)]), np.array([np.sum(self.rate * at_high)]))

    @property
    def curvature(self) -> Curvature:
        return Curvature.OTHER
