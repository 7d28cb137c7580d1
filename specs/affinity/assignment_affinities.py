"""Objects that like some places more than others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Node
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import item_weights
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["AssignmentAffinities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentAffinities(Spec):
    """``−Σ_o affinity(o, s)`` over the objects o and the items s they are on; pairs not listed count 0.

    In the unit of the affinities, which may be negative.

    Parameters
    ----------
    scope
        Places.
    affinities
        Object (or kind) → {item: affinity}.
    """

    scope: str
    affinities: Mapping[str, Mapping[str, float]]

    def __post_init__(self) -> None:
        if not self.affinities:
            raise InvalidInput("assignment_affinities: nothing is listed")
        for name, row in self.affinities.items():
            if not np.all(np.isfinite(list(row.values()))):
                raise InvalidInput(f"assignment_affinities: of {name!r} some affinity is not a finite number")

    def goal(self, c: Compiler) -> Node:
        problem, items = c.problem, c.problem.items(self.scope)
        rows = np.full(problem.objects.size, -1, np.int32)
        entries: dict[int, dict[int, float]] = {}
        for k, (name, row) in enumerate(self.affinities.items()):
            members = list(problem.objects.members(name))
            if np.any(rows[members] >= 0):
                raise InvalidInput(f"assignment_affinities: {name!r} is listed both by kind and by name")
            rows[members] = k
            entries[k] = {i: value for item, value in row.items() for i in items.members(item)}
        weights = item_weights(problem, self.scope, rows, entries, len(self.affinities))
        return c.scaled(c.total(c.usage(problem.scope(self.scope), weights)), -1.0)

    def check(self, problem: Problem, assignment: Ints) -> float:
        there = measure.inside(problem, self.scope, assignment)
        total = 0.0
        for name, row in self.affinities.items():
            for o in problem.objects.members(name):
                for item, value in row.items():
                    total -= value * sum(there[o, i] for i in problem.items(self.scope).members(item))
        return float(total)

    def describe(self) -> str:
        return f"objects are on the items of {self.scope} they like"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", affinities={"t0": {"h0": 3, "h1": -2}, "t1": {"h0": 1}})
        # t0 is on h1, t1 on h0
        return sample(spec, start=[0, 0], end=[1, 0], hosts=2, value=1.0)
