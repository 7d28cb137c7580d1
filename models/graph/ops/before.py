"""What a leaf was at the start: a constant."""

from __future__ import annotations

from dataclasses import dataclass

from models.graph.axis import AnyAxis
from models.graph.cells import Cells, Value
from models.graph.ops.base import Bounds, Curvature, LeafOp
from models.graph.ops.usage import GroupUsage, Usage
from models.graph.space import AssignmentSpace, Ints

__all__ = ["Before"]


@dataclass(frozen=True, eq=False)
class Before(LeafOp):
    """The value of `leaf` (which counts ``after``) at the initial assignment, whatever the assignment is."""

    leaf: Usage | GroupUsage

    @property
    def leaf_axis(self) -> AnyAxis:
        return self.leaf.leaf_axis

    def evaluate(self, space: AssignmentSpace, assignment: Ints) -> Value:
        # the same for every assignment: computed once, kept as long as the start is the same array
        known: tuple[Ints, Value] | None = self.__dict__.get("_known")
        if known is None or known[0] is not space.initial:
            known = (space.initial, self.leaf.evaluate(space, space.initial))
            object.__setattr__(self, "_known", known)
        return known[1]

    def bounds(self, space: AssignmentSpace) -> Bounds:
        start = self.leaf.evaluate(space, space.initial)
        # sparse bounds are broadcast arrays and cannot hold single cells
        return self.leaf.bounds(space) if isinstance(start, Cells) else Bounds(start, start)

    @property
    def curvature(self) -> Curvature:
        return Curvature.CONSTANT

    @property
    def integral(self) -> bool:
        return self.leaf.integral
