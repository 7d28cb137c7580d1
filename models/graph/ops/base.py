"""What every operation of the graph knows about itself."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.graph.axis import AnyAxis, ProductAxis
from models.graph.cells import Array, Value
from models.graph.space import AssignmentSpace, Ints

__all__ = ["Bounds", "Curvature", "LeafOp", "Monotone", "Op", "compose"]


class Curvature(enum.Enum):
    """How a node's elements depend on the assignment (relaxed to fractions)."""

    CONSTANT = "constant"
    AFFINE = "affine"
    CONVEX = "convex"
    CONCAVE = "concave"
    OTHER = "other"

    @property
    def is_affine(self) -> bool:
        """Affine or constant."""
        return self in (Curvature.CONSTANT, Curvature.AFFINE)

    @property
    def is_convex(self) -> bool:
        """Convex, affine or constant."""
        return self.is_affine or self is Curvature.CONVEX

    @property
    def is_concave(self) -> bool:
        """Concave, affine or constant."""
        return self.is_affine or self is Curvature.CONCAVE

    def flipped(self) -> Curvature:
        """Curvature of the negated node."""
        return {Curvature.CONVEX: Curvature.CONCAVE, Curvature.CONCAVE: Curvature.CONVEX}.get(self, self)


class Monotone(enum.Enum):
    """Direction in which an operation follows its operand."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


def compose(outer: Curvature, monotone: Monotone, inner: Curvature) -> Curvature:
    """Curvature of f(g(x)) from f's, f's monotonicity and g's (disciplined convex programming)."""
    if inner is Curvature.CONSTANT or outer is Curvature.CONSTANT:
        return Curvature.CONSTANT
    if inner.is_affine:
        return outer
    for wanted, same, opposite in (
        (Curvature.CONVEX, inner.is_convex, inner.is_concave),
        (Curvature.CONCAVE, inner.is_concave, inner.is_convex),
    ):
        fits = outer is wanted or outer is Curvature.AFFINE
        if fits and ((monotone is Monotone.UP and same) or (monotone is Monotone.DOWN and opposite)):
            return wanted
    return Curvature.OTHER


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest value of each element over all assignments (interval arithmetic).

    Each array is a scalar or broadcastable to the axis: flat for dense axes, two-dimensional for sparse ones.
    """

    low: Array
    high: Array

    @property
    def lowest(self) -> float:
        """Smallest value of any element."""
        return float(self.low.min()) if self.low.size else 0.0

    @property
    def highest(self) -> float:
        """Largest value of any element."""
        return float(self.high.max()) if self.high.size else 0.0

    @classmethod
    def make(cls, low: Array | float, high: Array | float) -> Bounds:
        """From arrays or numbers."""
        return cls(np.asarray(low, np.float64), np.asarray(high, np.float64))


class Op(ABC):
    """An operation on the values of its children; subclasses are frozen dataclasses holding parameters only.

    `evaluate` is the meaning; `bounds`, `curvature` and `integral` must never contradict it.
    """

    arity: ClassVar[int | None] = 1
    """Number of children; None: one or more."""

    @property
    def kind(self) -> str:
        """Name of the operation, as used by lowerings, kernels and messages."""
        return type(self).__name__

    def axis(self, axes: Sequence[AnyAxis]) -> AnyAxis:
        """Axis of the result; elementwise unless overridden."""
        return axes[0]

    @abstractmethod
    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        """The result from the children's values, by the definition."""

    @abstractmethod
    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        """Bounds of the result from the children's bounds."""

    @abstractmethod
    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        """Curvature of the result from the children's curvature and bounds."""

    def integral(self, children: Sequence[bool]) -> bool:
        """Whether the result is whole numbers only, given whether the children are."""
        del children
        return False


class LeafOp(ABC):
    """A quantity read off the assignment itself; linear in it except for `PairCost`."""

    arity: ClassVar[int | None] = 0

    @property
    def kind(self) -> str:
        """Name of the operation, as used by lowerings, kernels and messages."""
        return type(self).__name__

    @property
    @abstractmethod
    def leaf_axis(self) -> AnyAxis:
        """Axis of the value."""

    @abstractmethod
    def evaluate(self, space: AssignmentSpace, assignment: Ints) -> Value:
        """The value for one assignment, by the definition."""

    @abstractmethod
    def bounds(self, space: AssignmentSpace) -> Bounds:
        """Bounds over all assignments."""

    @property
    def curvature(self) -> Curvature:
        """Linear unless overridden."""
        return Curvature.AFFINE

    @property
    def integral(self) -> bool:
        """Whether all elements are always whole numbers."""
        return False


def full(value: Array, axis: AnyAxis) -> Array:
    """`value` broadcast to every element of `axis`, flat."""
    if isinstance(axis, ProductAxis) and value.ndim == 2:
        return np.broadcast_to(value, (axis.rows.size, axis.columns.size)).reshape(-1)
    return np.broadcast_to(value, (axis.size,))
