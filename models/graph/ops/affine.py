"""Σ coefficient · child + constant, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from models.graph.axis import AnyAxis
from models.graph.cells import Array, Value, elementwise
from models.graph.ops.base import Bounds, Curvature, Op

__all__ = ["Affine", "Constant"]


@dataclass(frozen=True, eq=False)
class Affine(Op):
    """``Σ_k coefficients[k] · child_k + constant``.

    Coefficients and the constant are float64 scalars or arrays: flat over a dense axis, two-dimensional and
    broadcastable to (rows, columns) over a sparse one.
    """

    coefficients: tuple[Array, ...]
    constant: Array
    arity: ClassVar[int | None] = None

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        k = len(values)

        def combine(*operands: Array) -> Array:
            total = operands[2 * k]
            for value, coefficient in zip(operands[:k], operands[k : 2 * k], strict=True):
                total = total + value * coefficient
            return np.asarray(total)

        return elementwise(combine, [*values, *self.coefficients, self.constant], axes[0])

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        low = high = self.constant
        for bound, c in zip(bounds, self.coefficients, strict=True):
            low = low + np.where(c >= 0, c * bound.low, c * bound.high)
            high = high + np.where(c >= 0, c * bound.high, c * bound.low)
        return Bounds.make(low, high)

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        out: Curvature = Curvature.CONSTANT
        for curvature, c in zip(curvatures, self.coefficients, strict=True):
            if curvature is Curvature.CONSTANT or not np.any(c):
                continue
            if curvature is Curvature.AFFINE or np.all(c >= 0):
                term: Curvature = curvature
            else:
                term = curvature.flipped() if np.all(c <= 0) else Curvature.OTHER
            if out.is_affine:
                out = Curvature.AFFINE if term.is_affine else term
            elif not term.is_affine and term is not out:
                return Curvature.OTHER
        return out

    def integral(self, children: Sequence[bool]) -> bool:
        whole = all(bool(np.all(a == np.rint(a))) for a in (*self.coefficients, self.constant))
        return whole and all(children)


@dataclass(frozen=True, eq=False)
class Constant(Op):
    """A value that does not depend on the assignment: flat, or two-dimensional over a sparse axis."""

    target: AnyAxis
    values: Array
    arity: ClassVar[int | None] = 0

    def axis(self, axes: Sequence[AnyAxis]) -> AnyAxis:
        return self.target

    def evaluate(self, values: Sequence[Value], axes: Sequence[AnyAxis]) -> Value:
        return elementwise(np.asarray, [self.values], self.target)

    def bounds(self, bounds: Sequence[Bounds], axes: Sequence[AnyAxis]) -> Bounds:
        return Bounds(self.values, self.values)

    def curvature(self, curvatures: Sequence[Curvature], bounds: Sequence[Bounds]) -> Curvature:
        return Curvature.CONSTANT

    def integral(self, children: Sequence[bool]) -> bool:
        return bool(np.all(self.values == np.rint(self.values)))
