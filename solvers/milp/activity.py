"""Bounds and lattices of affine expressions, from the columns they are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.graph.cells import Array
from solvers.milp.decision import Decision
from solvers.milp.linear import Indices, Linear

__all__ = ["Activity", "lattice"]

_DECIMALS = 9
"""Coefficients with up to this many decimals are seen as exact multiples."""


class Activity:
    """Smallest and largest values of expressions, knowing that each class fills exactly its size."""

    def __init__(self, decision: Decision) -> None:
        self._n = decision.n
        self._class = decision.of_class
        self._size = decision.classes.size.astype(np.float64)
        self._width = np.bincount(decision.of_class, minlength=decision.classes.n)

    def range(self, linear: Linear, lower: Array, upper: Array) -> tuple[Array, Array]:
        """Low and high, float64[n] each, for column bounds `lower`, `upper`."""
        return self.lowest(linear, lower, upper), self.highest(linear, lower, upper)

    def lowest(self, linear: Linear, lower: Array, upper: Array) -> Array:
        """Smallest value of each expression."""
        return -self.highest(linear.scaled(-1.0), lower, upper)

    def highest(self, linear: Linear, lower: Array, upper: Array) -> Array:
        """Largest value of each expression."""
        decided = linear.column < self._n
        if decided.all():
            return linear.constant + self._of_decision(
                linear.row, linear.column, linear.coefficient, linear.n
            )
        c, j = linear.coefficient[~decided], linear.column[~decided]
        other = np.bincount(linear.row[~decided], np.where(c > 0, c * upper[j], c * lower[j]), linear.n)
        entries = linear.row[decided], linear.column[decided], linear.coefficient[decided]
        return np.asarray(linear.constant + other + self._of_decision(*entries, linear.n))

    def _of_decision(self, row: Indices, column: Indices, coefficient: Array, n: int) -> Array:
        """Each class puts all its objects where they add most, or elsewhere where that is better."""
        if not row.size:
            return np.zeros(n)
        of = self._class[column]
        # entries are sorted by (row, column) and columns by class, so equal pairs are neighbours
        fresh = np.append(True, (row[1:] != row[:-1]) | (of[1:] != of[:-1]))
        count: Indices | int = 1
        if not fresh.all():
            starts = np.flatnonzero(fresh)
            coefficient = np.maximum.reduceat(coefficient, starts)
            count = np.diff(np.append(starts, row.size))
            row, of = row[starts], of[starts]
        coefficient = np.where(count < self._width[of], np.maximum(coefficient, 0.0), coefficient)
        return np.bincount(row, coefficient * self._size[of], n).astype(np.float64, copy=False)


def lattice(linear: Linear, grain: npt.NDArray[np.int64]) -> Array:
    """Step of each expression: all its values are its constant plus whole multiples of the step.

    `grain`: int64 for each column, see `solvers.milp.grain`. float64[n]: 0 where nothing is known (a column
    without a grain, or coefficients without a common measure of at most nine decimals); infinite where the
    expression has no columns.
    """
    n = linear.n
    step = np.full(n, np.inf)
    if not linear.row.size:
        return step
    starts = np.flatnonzero(np.append(True, linear.row[1:] != linear.row[:-1]))
    rows = linear.row[starts]
    unit = linear.coefficient * (np.maximum(grain[linear.column], 0) / 1e6)
    largest = float(np.abs(unit).max())
    for decimals in range(_DECIMALS + 1):
        scale = 10.0**decimals
        if largest * scale > 2.0**52:
            break
        scaled = unit * scale
        rounded = np.rint(scaled)
        fits = np.abs(scaled - rounded) <= 1e-9 * np.maximum(1.0, np.abs(scaled))
        fits &= (grain[linear.column] > 0) & (rounded != 0)
        good = np.bincount(linear.row, ~fits, n) == 0
        fresh = good & np.isinf(step)
        divisor = np.gcd.reduceat(np.abs(rounded).astype(np.int64), starts)
        take = fresh[rows]
        step[rows[take]] = divisor[take] / scale
        if np.all(np.isfinite(step[rows])):
            return step
    step[rows[np.isinf(step[rows])]] = 0.0
    return step
