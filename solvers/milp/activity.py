"""Bounds and lattices of affine expressions, from the columns they are made of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.graph.cells import Array
from solvers.milp.decision import Decision
from solvers.milp.linear import Linear

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
        high = self._highest(linear, lower, upper)
        low = -self._highest(linear.scaled(-1.0), lower, upper)
        return low, high

    def _highest(self, linear: Linear, lower: Array, upper: Array) -> Array:
        decided = linear.column < self._n
        other = ~decided
        c = linear.coefficient[other]
        j = linear.column[other]
        out = linear.constant + np.bincount(
            linear.row[other], np.where(c > 0, c * upper[j], c * lower[j]), linear.n
        )
        if not decided.any():
            return np.asarray(out)
        row, of = linear.row[decided], self._class[linear.column[decided]]
        # entries are sorted by (row, column) and columns by class, so equal pairs are neighbours
        starts = np.flatnonzero(np.append(True, (row[1:] != row[:-1]) | (of[1:] != of[:-1])))
        best = np.maximum.reduceat(linear.coefficient[decided], starts)
        count = np.diff(np.append(starts, row.size))
        best = np.where(count < self._width[of[starts]], np.maximum(best, 0.0), best)
        return np.asarray(out + np.bincount(row[starts], best * self._size[of[starts]], linear.n))


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
