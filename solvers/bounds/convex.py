"""Values, slopes and conjugates of the convex functions of a `Part`, all cells at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from models.graph.ops import Absolute, PiecewiseLinear, PositivePart, Power, Square
from models.graph.ops.unary import Unary
from solvers.bounds.separable import Part, Scale

__all__ = ["Touch", "slopes", "touching", "values"]

_HALVINGS = 60
"""Bisections for the point of a given slope: to the last bit of its interval."""


def values(part: Part, at: Array) -> Array:
    """``weight · f(at)``; `at`: float64[..., K]."""
    x = at
    for step in part.steps:
        x = step.factor * x + step.shift if isinstance(step, Scale) else step.function(x)
    return np.asarray(part.weight * x)


def slopes(part: Part, at: Array) -> Array:
    """A slope of ``weight · f`` at `at` (float64[..., K]): the right one where f has a kink."""
    x, slope = at, part.weight
    for step in part.steps:
        if isinstance(step, Scale):
            x, slope = step.factor * x + step.shift, slope * step.factor
        else:
            x, slope = step.function(x), slope * _slope(step, x)
    return np.broadcast_to(slope, at.shape)


def _slope(op: Unary, x: Array) -> Array:
    match op:
        case Square():
            return 2.0 * x
        case Power():
            return np.asarray(op.exponent * np.maximum(x, 0.0) ** (op.exponent - 1.0) * (x >= 0))
        case PositivePart():
            return np.asarray(x >= 0, np.float64)
        case Absolute():
            return np.where(x >= 0, 1.0, -1.0)
        case PiecewiseLinear():
            piece = np.clip(np.searchsorted(op.x, x, side="right") - 1, 0, op.x.size - 2)
            return np.asarray(op.slopes[piece])
    raise AssertionError(op.kind)  # every convex unary operation is listed above


@dataclass(frozen=True, eq=False, slots=True)
class Touch:
    """Where lines of given slopes touch ``weight · f``.

    ``at``: float64[K], the points; ``height``: values there; both for f drawn straight between the values
    the amount can take, where those are known.
    """

    at: Array
    height: Array


def touching(part: Part, slope: Array, low: Array, high: Array, step: Array) -> Touch:
    """The points of ``[low, high]`` where ``weight · f(a) − slope · a`` is least.

    `step`: float64[K], the amount is its constant plus a multiple of it; 0 where nothing is known.
    """
    a, b = low.copy(), high.copy()
    for _ in range(_HALVINGS):
        middle = 0.5 * (a + b)
        right = slopes(part, middle) > slope
        a, b = np.where(right, a, middle), np.where(right, middle, b)
    # f's slope passes `slope` between a and b: the better of the two is the least to the last bit
    at = _better(part, slope, a, b)
    known = step > 0
    if known.any():
        unit = np.where(known, step, 1.0)
        count = (at - part.inner.constant[part.cells]) / unit
        base = part.inner.constant[part.cells]
        floor = np.floor(count + 1e-9)
        below, above = base + floor * unit, base + (floor + 1) * unit
        below, above = np.clip(below, low, high), np.clip(above, low, high)
        at = np.where(known, _better(part, slope, below, above), at)
    return Touch(at, values(part, at))


def _better(part: Part, slope: Array, a: Array, b: Array) -> Array:
    return np.where(values(part, b) - slope * b < values(part, a) - slope * a, b, a)
