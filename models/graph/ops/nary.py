"""Elementwise functions of several operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import numpy as np

from models.graph.axis import AnyAxis
from models.graph.cells import Array, Value, elementwise
from models.graph.ops.base import Bounds, Curvature, Op

__all__ = ["Maximum", "Minimum", "PresenceProduct"]


@dataclass(frozen=True, eq=False)
class Maximum(Op):
    """The largest of the children, element by element."""

    arity: ClassVar[int | None] = None

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        return elementwise(lambda *v: reduce(np.maximum, v), values, axes[0])

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        return Bounds.make(
            reduce(np.maximum, [b.low for b in bounds]), reduce(np.maximum, [b.high for b in bounds])
        )

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        if all(c is Curvature.CONSTANT for c in curvatures):
            return Curvature.CONSTANT
        return Curvature.CONVEX if all(c.is_convex for c in curvatures) else Curvature.OTHER

    def integral(self, children: Sequence[bool]) -> bool:
        return all(children)


@dataclass(frozen=True, eq=False)
class Minimum(Op):
    """The smallest of the children, element by element."""

    arity: ClassVar[int | None] = None

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        return elementwise(lambda *v: reduce(np.minimum, v), values, axes[0])

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        return Bounds.make(
            reduce(np.minimum, [b.low for b in bounds]), reduce(np.minimum, [b.high for b in bounds])
        )

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        if all(c is Curvature.CONSTANT for c in curvatures):
            return Curvature.CONSTANT
        return Curvature.CONCAVE if all(c.is_concave for c in curvatures) else Curvature.OTHER

    def integral(self, children: Sequence[bool]) -> bool:
        return all(children)


@dataclass(frozen=True, eq=False)
class PresenceProduct(Op):
    """``x · p`` where the second child p is always 0 or 1 (a `Presence`, or affine in some)."""

    arity: ClassVar[int | None] = 2

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        return elementwise(_product, values, axes[0])

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        x, p = bounds
        low = np.where(p.low > 0.5, x.low, np.minimum(x.low, 0.0))
        high = np.where(p.low > 0.5, x.high, np.maximum(x.high, 0.0))
        off = p.high < 0.5
        return Bounds.make(np.where(off, 0.0, low), np.where(off, 0.0, high))

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        x, p = curvatures
        if p is Curvature.CONSTANT:
            return x  # a constant 0 or 1 keeps or drops each element
        if x is Curvature.CONSTANT and p.is_affine:
            return Curvature.AFFINE
        return Curvature.OTHER

    def integral(self, children: Sequence[bool]) -> bool:
        return all(children)


def _product(x: Array, p: Array) -> Array:
    return np.asarray(x * p)
