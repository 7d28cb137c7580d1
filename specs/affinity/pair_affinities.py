"""Pairs of objects that talk to each other are close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.graph import Node
from models.graph.cells import Array
from models.graph.ops.pair_cost import PairCost
from models.graph.space import Ints
from specs.compiler import Compiler
from specs.derived import one
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["PairAffinities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAffinities(Spec):
    """``Σ_(a, b) rate(a, b) · distance(item of a, item of b)`` over the listed pairs of objects.

    In the unit of the rates times that of the distances.

    Parameters
    ----------
    scope
        Places, without overlaps.
    rates
        Object → {object: rate}.
    distances
        Item → {item: distance}, in both directions unless the other one is listed too; or
        float64[n_items, n_items]. Pairs not listed have the distance `default`, an item is 0 from itself.
    default
        Distance of two different items that are not listed.
    outside
        Distance where one of the two is unassigned or outside of the scope.
    """

    scope: str
    rates: Mapping[str, Mapping[str, float]]
    distances: Mapping[str, Mapping[str, float]] | npt.NDArray[np.float64] | None = None
    default: float = 1.0
    outside: float = 1.0

    def _distance(self, problem: Problem) -> Array:
        """float64[n_items + 1, n_items + 1]; the last row and column are outside."""
        items = problem.items(self.scope)
        n = items.size
        table = np.full((n + 1, n + 1), float(self.outside))
        inner = np.full((n, n), float(self.default))
        if isinstance(self.distances, np.ndarray):
            if self.distances.shape != (n, n):
                raise InvalidInput(f"pair_affinities: distances need shape ({n}, {n})")
            inner[:] = self.distances
        else:
            np.fill_diagonal(inner, 0.0)
            listed = {
                (one(items, a), one(items, b)): d
                for a, row in (self.distances or {}).items()
                for b, d in row.items()
            }
            for (a, b), d in listed.items():
                inner[a, b] = d
                if (b, a) not in listed:
                    inner[b, a] = d
        table[:n, :n] = inner
        if not np.all(np.isfinite(table)):
            raise InvalidInput("pair_affinities: every distance must be a finite number")
        return table

    def _pairs(self, problem: Problem) -> tuple[Ints, Ints, Array]:
        found = [
            (one(problem.objects, a), one(problem.objects, b), rate)
            for a, row in self.rates.items()
            for b, rate in row.items()
        ]
        if not found:
            raise InvalidInput("pair_affinities: no pair is listed")
        first, second, rate = (np.array(x) for x in zip(*found, strict=True))
        if not np.all(np.isfinite(rate.astype(np.float64))):
            raise InvalidInput("pair_affinities: every rate must be a finite number")
        return first.astype(np.int32), second.astype(np.int32), rate.astype(np.float64)

    def goal(self, c: Compiler) -> Node:
        first, second, rate = self._pairs(c.problem)
        return c.node(PairCost(c.problem.scope(self.scope), first, second, rate, self._distance(c.problem)))

    def check(self, problem: Problem, assignment: Ints) -> float:
        table, scope = self._distance(problem), problem.scope(self.scope)
        item_of = [scope.single[c] for c in assignment]
        total = 0.0
        for a, row in self.rates.items():
            for b, rate in row.items():
                first, second = problem.objects.index(a), problem.objects.index(b)
                total += rate * table[item_of[first], item_of[second]]
        return float(total)

    def describe(self) -> str:
        return f"objects that talk to each other are close on {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="rack", rates={"t0": {"t1": 2, "t2": 3}}, distances={"r0": {"r1": 10}})
        # t0 and t1 are both in r0; t2 is in r1
        return sample(spec, start=[0, 0, 0], end=[0, 1, 2], hosts=3, racks=[0, 0, 1], value=30.0)
