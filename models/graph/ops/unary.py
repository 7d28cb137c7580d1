"""Elementwise functions of one operand."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.axis import AnyAxis
from models.graph.cells import Array, Value, elementwise
from models.graph.ops.base import Bounds, Curvature, Monotone, Op, compose

__all__ = [
    "TOLERANCE",
    "Absolute",
    "Ceiling",
    "PiecewiseLinear",
    "PositivePart",
    "Power",
    "Presence",
    "Square",
    "Unary",
]

TOLERANCE = 1e-9
"""Amounts up to this are noise of floating-point sums: not present, not worth rounding up."""


class Unary(Op):
    """``f(child)`` for each element."""

    @abstractmethod
    def function(self, x: Array) -> Array:
        """F itself, on arrays of any shape."""

    @abstractmethod
    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        """Curvature and monotonicity of f on the operand's interval."""

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        return elementwise(self.function, values, axes[0])

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        at_low, at_high = self.function(bounds[0].low), self.function(bounds[0].high)
        return Bounds.make(np.minimum(at_low, at_high), np.maximum(at_low, at_high))

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        outer, monotone = self.shape_on(bounds[0])
        return compose(outer, monotone, curvatures[0])


@dataclass(frozen=True, eq=False)
class PositivePart(Unary):
    """``max(0, x)``."""

    def function(self, x: Array) -> Array:
        return np.maximum(x, 0.0)

    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        if bound.highest <= 0:
            return Curvature.CONSTANT, Monotone.UP
        return (Curvature.AFFINE if bound.lowest >= 0 else Curvature.CONVEX), Monotone.UP

    def integral(self, children: Sequence[bool]) -> bool:
        return children[0]


@dataclass(frozen=True, eq=False)
class Absolute(Unary):
    """``|x|``."""

    def function(self, x: Array) -> Array:
        return np.abs(x)

    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        if bound.lowest >= 0:
            return Curvature.AFFINE, Monotone.UP
        if bound.highest <= 0:
            return Curvature.AFFINE, Monotone.DOWN
        return Curvature.CONVEX, Monotone.NEITHER

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        return _even_bounds(bounds[0], np.abs)

    def integral(self, children: Sequence[bool]) -> bool:
        return children[0]


@dataclass(frozen=True, eq=False)
class Square(Unary):
    """``x²``, of either sign."""

    def function(self, x: Array) -> Array:
        return np.asarray(x * x)

    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        if bound.lowest >= 0:
            return Curvature.CONVEX, Monotone.UP
        return Curvature.CONVEX, Monotone.DOWN if bound.highest <= 0 else Monotone.NEITHER

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        return _even_bounds(bounds[0], np.square)

    def integral(self, children: Sequence[bool]) -> bool:
        return children[0]


@dataclass(frozen=True, eq=False)
class Power(Unary):
    """``max(0, x) ** exponent`` with exponent >= 1."""

    exponent: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.exponent) and self.exponent >= 1):
            raise InvalidInput(f"the exponent of a power must be at least 1, got {self.exponent}")

    def function(self, x: Array) -> Array:
        return np.asarray(np.maximum(x, 0.0) ** self.exponent)

    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        return Curvature.CONSTANT if bound.highest <= 0 else Curvature.CONVEX, Monotone.UP


@dataclass(frozen=True, eq=False)
class Presence(Unary):
    """1 where ``x > TOLERANCE``, else 0."""

    def function(self, x: Array) -> Array:
        return np.asarray(x > TOLERANCE, np.float64)

    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        fixed = bound.highest <= TOLERANCE or bound.lowest > TOLERANCE
        return Curvature.CONSTANT if fixed else Curvature.OTHER, Monotone.UP

    def integral(self, children: Sequence[bool]) -> bool:
        return True


@dataclass(frozen=True, eq=False)
class Ceiling(Unary):
    """The smallest whole number not below ``x − TOLERANCE``."""

    def function(self, x: Array) -> Array:
        return np.asarray(np.ceil(x - TOLERANCE) + 0.0)

    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        return Curvature.OTHER, Monotone.UP

    def integral(self, children: Sequence[bool]) -> bool:
        return True


@dataclass(frozen=True, eq=False)
class PiecewiseLinear(Unary):
    """Straight lines through the points (x, y); beyond the first and last point the end slopes go on.

    Parameters
    ----------
    x
        float64[n], strictly increasing, n >= 2.
    y
        float64[n].
    """

    x: Array
    y: Array

    def __post_init__(self) -> None:
        if self.x.shape != self.y.shape or self.x.ndim != 1 or self.x.size < 2:
            raise InvalidInput("a piecewise linear function needs at least two points with one value each")
        if not (np.all(np.isfinite(self.x)) and np.all(np.isfinite(self.y)) and np.all(np.diff(self.x) > 0)):
            raise InvalidInput(
                "the points of a piecewise linear function must be finite and strictly increasing"
            )

    @property
    def slopes(self) -> Array:
        """float64[n - 1]: slope of each piece."""
        return np.asarray(np.diff(self.y) / np.diff(self.x))

    def function(self, x: Array) -> Array:
        piece = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, self.x.size - 2)
        return np.asarray(self.y[piece] + self.slopes[piece] * (x - self.x[piece]))

    def shape_on(self, bound: Bounds) -> tuple[Curvature, Monotone]:
        slopes = self.slopes
        step = np.diff(slopes)
        if np.all(slopes >= 0):
            monotone = Monotone.UP
        else:
            monotone = Monotone.DOWN if np.all(slopes <= 0) else Monotone.NEITHER
        if np.allclose(step, 0):
            return Curvature.AFFINE, monotone
        if np.all(step >= 0):
            return Curvature.CONVEX, monotone
        return Curvature.CONCAVE if np.all(step <= 0) else Curvature.OTHER, monotone

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        low, high = np.broadcast_arrays(bounds[0].low, bounds[0].high)
        ends = [self.function(low), self.function(high)]
        smallest, largest = np.minimum(*ends), np.maximum(*ends)
        for x, y in zip(self.x, self.y, strict=True):
            inside = (low < x) & (x < high)
            smallest = np.where(inside, np.minimum(smallest, y), smallest)
            largest = np.where(inside, np.maximum(largest, y), largest)
        return Bounds.make(smallest, largest)


def _even_bounds(bound: Bounds, function: np.ufunc) -> Bounds:
    at_low, at_high = function(bound.low), function(bound.high)
    straddles = (bound.low < 0) & (bound.high > 0)
    return Bounds.make(np.where(straddles, 0.0, np.minimum(at_low, at_high)), np.maximum(at_low, at_high))
