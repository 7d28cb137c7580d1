"""Which decision columns can matter: those a good assignment's value does not rule out.

With a lower bound B of a tier and the least r by which it rises when an object is in a place
(`solvers.bounds.decomposed`), an assignment below the value v has no object where ``B + r >= v``. What is
left is often a small core, and its optimum is that of the whole problem. Where v is not good enough, the
cheapest columns alone are solved first: their bound b proves ``min(b, B + the least r left out)``, and the
better v they give rules out more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.graph import Graph
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.bounds.decomposed import Decomposed, decomposed_bound
from solvers.clock import Clock
from solvers.milp.classes import find_classes

__all__ = ["SMALLEST", "Core", "Focus"]

SMALLEST = 5_000
"""Decision columns from which on it is worth the effort."""
CORE_PER_CLASS = 4
"""Places for each kind of objects in the first core."""
GROWTH = 4
"""Each further core is so many times larger."""
SHARE = 0.2
"""Share of the time left that the bound of a tier may take."""
WHOLE = 0.7
"""Cores with more than this share of what is possible are not worth a solve of their own."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Core:
    """``allowed``: bool[classes, places]; ``beyond``: assignments that leave it have no less."""

    allowed: Mask
    beyond: float


class Focus:
    """The columns that matter, as they become fewer."""

    def __init__(self, graph: Graph, clock: Clock) -> None:
        self._graph = graph
        self._clock = clock
        self._classes = find_classes(graph)
        self._shape = self._classes.n, graph.space.n_containers + 1
        self.allowed: Mask | None = None
        self.useful = self._shape[0] * self._shape[1] >= SMALLEST
        self._tier: Decomposed | None = None

    def begin(self, tier: int, assignment: Ints, values: Array) -> float:
        """Look at `tier`, given a feasible assignment and its values; a bound of it, or minus infinity."""
        self._tier = None
        if self.useful:
            self._tier = decomposed_bound(
                self._graph, tier, assignment, values.tolist(), self._clock.part(SHARE), allowed=self.allowed
            )
        return -np.inf if self._tier is None else self._tier.bound

    def end(self, value: float) -> None:
        """The tier is settled at `value`: rule out what cannot reach it."""
        if self._tier is not None:
            self._rule_out(self._tier.possible(value))
        self._tier = None

    def _rule_out(self, possible: Mask | None) -> None:
        if possible is not None:
            self.allowed = possible if self.allowed is None else self.allowed & possible

    def core(self, level: int, value: float, step: float) -> Core | None:
        """The columns to solve at `level`, for assignments better than `value` by at least `step`.

        None: all that are allowed, because nothing is known about single columns.
        """
        if self._tier is None or self._tier.reduced is None:
            return None
        possible = self._tier.possible(value - 0.999 * step)
        assert possible is not None
        if self.allowed is not None:
            possible &= self.allowed
        size = CORE_PER_CLASS * self._shape[0] * GROWTH**level
        if size >= WHOLE * possible.sum():
            return Core(possible, np.inf)
        reduced = np.where(possible, self._tier.reduced, np.inf)
        # cut where the price jumps most: what belongs together (a rack, a zone) stays together
        cheapest = np.sort(np.partition(reduced.reshape(-1), size)[: size + 1])
        jump = np.diff(cheapest[self._shape[0] :])
        chosen = reduced <= cheapest[self._shape[0] + int(jump.argmax())]
        beyond = float(reduced[~chosen].min(initial=np.inf))
        return Core(chosen, self._tier.bound + beyond)

    def with_assignment(self, mask: Mask, assignment: Ints) -> Mask:
        """`mask` and the places of `assignment`."""
        out = mask.copy()
        out[self._classes.of, assignment] = True  # -1, unassigned, is the last place
        return out
