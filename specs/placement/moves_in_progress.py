"""Moves that are under way: their end is fixed, and until then they count at both ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.space import Ints
from specs.compiler import Compiler
from specs.derived import item_weights, one
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["MovesInProgress"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MovesInProgress(LimitSpec):
    """``Σ_o [o is not in destination(o)] ≤ 0`` over the listed objects.

    The start stays where they come from, so that limits which count ``during`` keep room at both ends. As a
    goal: the number of listed objects that end elsewhere.

    Parameters
    ----------
    destinations
        Object → container.
    """

    destinations: Mapping[str, str]

    def __post_init__(self) -> None:
        if not self.destinations:
            raise InvalidInput("moves_in_progress: nothing is listed")

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        rows = np.full(problem.objects.size, -1, np.int32)
        entries: dict[int, dict[int, float]] = {}
        for k, (name, container) in enumerate(self.destinations.items()):
            rows[one(problem.objects, name)] = k
            entries[k] = {one(problem.containers, container): 1.0}
        scope = problem.containers.name
        weights = item_weights(problem, scope, rows, entries, len(entries))
        arrived = c.total(c.usage(problem.scope(scope), weights))
        yield Limit("arrived", c.affine([(arrived, -1.0)], float(len(entries))))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        elsewhere = [
            assignment[problem.objects.index(name)] != problem.containers.index(container)
            for name, container in self.destinations.items()
        ]
        return np.array([float(sum(elsewhere))])

    def describe(self) -> str:
        return f"{len(self.destinations)} moves under way arrive where they are bound for"

    @classmethod
    def example(cls) -> Example:
        spec = cls(destinations={"t0": "h1", "t1": "h1"})
        # t1 stays behind
        return sample(spec, start=[0, 0], end=[1, 0], hosts=2, value=1.0)
