"""Objects that may not share a scope item, or must."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.graph import Axis
from models.graph.cells import Array
from models.graph.ops.reduce import ROWS
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import sets_of_objects
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["ExclusiveObjects"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveObjects(LimitSpec):
    """Sets of objects that are kept apart, or together.

    ``apart``: ``|{o ∈ set on s}| − 1 ≤ 0`` for every set and scope item s. ``together``: ``|{s : some o ∈ set
    on s}| − 1 ≤ 0`` for every set. As a goal: the number of objects, or of items, too many.

    Parameters
    ----------
    scope
        Places.
    sets
        Sets of two or more objects (pairs, say).
    relation
        ``apart`` or ``together``.
    """

    scope: str
    sets: tuple[tuple[str, ...], ...]
    relation: Literal["apart", "together"] = "apart"

    def __post_init__(self) -> None:
        if not self.sets:
            raise InvalidInput("exclusive_objects: there are no sets")
        for members in self.sets:
            if len(set(members)) != len(members) or len(members) < 2:
                raise InvalidInput(
                    f"exclusive_objects: a set has two or more different objects, got {members}"
                )

    def _sets(self, problem: Problem) -> list[list[int]]:
        return [[o for name in members for o in problem.objects.members(name)] for members in self.sets]

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        axis = Axis("set", len(self.sets), [" and ".join(members) for members in self.sets])
        partition = sets_of_objects(problem, axis, self._sets(problem))
        on = c.group_usage(partition, problem.scope(self.scope), np.ones(problem.objects.size))
        if self.relation == "apart":
            yield Limit("apart", c.affine([(on, 1.0)], -1.0))
        else:
            yield Limit("together", c.affine([(c.total(c.present(on), ROWS), 1.0)], -1.0))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        there = measure.inside(problem, self.scope, assignment)
        counts = np.array([there[members].sum(axis=0) for members in self._sets(problem)], np.float64)
        if self.relation == "apart":
            return np.asarray(counts.reshape(-1) - 1.0)
        return np.asarray((counts > 0).sum(axis=1) - 1.0)

    def describe(self) -> str:
        return f"{len(self.sets)} listed sets of objects are {self.relation} on {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", sets=(("t0", "t1"), ("t1", "t2")))
        # t0 and t1 share h0
        return sample(spec, start=[0, 1, 0], end=[0, 0, 1], hosts=2, value=1.0)
