"""The columns of the decision itself: how many objects of each class each container gets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import SolverFailed
from models.graph import UNASSIGNED, AssignmentSpace
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.milp.classes import ObjectClasses, split
from solvers.milp.linear import Indices, Linear

__all__ = ["Decision"]


@dataclass(frozen=True, eq=False, slots=True)
class Decision:
    """Column j is the number of objects of class ``of_class[j]`` that end in ``container[j]``.

    ``of_class``: int64[n], ascending; ``container``: int64[n], -1 for unassigned, ascending within a class
    with -1 last; ``upper``: float64[n], at least 1.
    """

    space: AssignmentSpace
    classes: ObjectClasses
    of_class: Indices
    container: Indices
    upper: Array

    @classmethod
    def of(cls, space: AssignmentSpace, classes: ObjectClasses) -> Decision:
        """All columns: every class with every container, and unassigned where that is allowed."""
        places = np.append(np.arange(space.n_containers), UNASSIGNED)
        allowed = np.ones((classes.n, places.size), np.bool_)
        allowed[:, -1] = space.may_be_unassigned[classes.first]
        of_class, place = np.nonzero(allowed)
        return cls(space, classes, of_class, places[place], classes.size[of_class].astype(np.float64))

    @property
    def n(self) -> int:
        """Number of columns."""
        return int(self.of_class.size)

    @property
    def representative(self) -> Indices:
        """int64[n]: an object of each column's class."""
        return self.classes.first[self.of_class]

    def limited(self, upper: Array) -> Decision:
        """With smaller upper bounds; columns that can only be 0 are left out."""
        kept = upper > 0.5
        return Decision(
            self.space, self.classes, self.of_class[kept], self.container[kept], np.floor(upper[kept] + 1e-6)
        )

    def sums(self) -> tuple[Linear, Array]:
        """For each class the sum of its columns, and what it must be: the size of the class."""
        entry = np.arange(self.n)
        zero = np.zeros(self.classes.n)
        return Linear(self.of_class, entry, np.ones(self.n), zero), self.classes.size.astype(np.float64)

    def encode(self, assignment: Ints) -> Array | None:
        """float64[n] for an assignment; None when it uses a column that was left out."""
        width = self.space.n_containers + 1
        key = self.of_class * width + self.container + 1
        wanted = self.classes.of * width + assignment.astype(np.int64) + 1
        order = np.argsort(key)
        place = np.minimum(np.searchsorted(key, wanted, sorter=order), max(self.n - 1, 0))
        if self.n == 0 or np.any(key[order[place]] != wanted):
            return None
        counts = np.bincount(order[place], minlength=self.n).astype(np.float64)
        return None if np.any(counts > self.upper) else counts

    def decode(self, x: Array) -> Ints:
        """The assignment of column values `x` (float64, at least the first n). Raises SolverFailed."""
        counts = np.rint(x[: self.n]).astype(np.int64)
        given: npt.NDArray[np.int64] = np.bincount(self.of_class, counts, self.classes.n).astype(np.int64)
        if np.any(counts < 0) or np.any(given != self.classes.size):
            raise SolverFailed("a backend's solution does not assign every object exactly once")
        slots = np.repeat(self.container, counts).astype(np.int32)
        return split(self.space, self.classes, slots)
