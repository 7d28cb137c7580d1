"""Grains: the amounts that values are whole multiples of, as exact decimals.

A grain is an int64 count of millionths; 0 where the only value is 0, `UNKNOWN` where there is no such amount.
With them thresholds are exact (the least positive value is known) and fractions fit solvers of whole numbers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.graph.cells import Array
from solvers.milp.activity import lattice
from solvers.milp.linear import Indices, Linear

__all__ = ["ONE", "UNKNOWN", "Grains", "combined", "grain_of_numbers", "grains_of", "grouped"]

Grains = npt.NDArray[np.int64]

ONE = 1_000_000
"""The grain of whole numbers."""
UNKNOWN = -1


def grain_of_numbers(values: Array) -> Grains:
    """Grain of each number by itself: its magnitude, where that has at most six decimals."""
    scaled = np.abs(values) * ONE
    whole = np.rint(scaled)
    exact = (np.abs(scaled - whole) <= 1e-9 * np.maximum(1.0, scaled)) & (scaled < 2.0**52)
    return np.where(exact, whole, UNKNOWN).astype(np.int64)


def grains_of(linear: Linear, column_grain: Grains) -> Grains:
    """Grain of the values of each expression, its constant included."""
    step = lattice(linear, column_grain)
    finite = np.isfinite(step) & (step > 0)
    of_step = np.where(step == 0, np.int64(UNKNOWN), np.int64(0))
    of_step[finite] = grain_of_numbers(step[finite])
    return combined(of_step, grain_of_numbers(linear.constant))


def combined(*grains: Grains) -> Grains:
    """Grain of values that are multiples of one or another of some grains, element by element."""
    known = np.all([g >= 0 for g in grains], axis=0)
    out = np.zeros_like(grains[0])
    for g in grains:
        out = np.gcd(out, np.maximum(g, 0))
    return np.where(known, out, UNKNOWN)


def grouped(grains: Grains, target: Indices, n: int) -> Grains:
    """`combined` over the elements that go to each of `n` targets; 0 where there are none."""
    out = np.zeros(n, np.int64)
    np.gcd.at(out, target, np.maximum(grains, 0))
    out[target[grains < 0]] = UNKNOWN
    return out
