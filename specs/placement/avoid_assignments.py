"""Objects that may not be on some scope items, or only on some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.graph import DynamicWeights
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import item_weights
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Named

__all__ = ["AvoidAssignments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AvoidAssignments(LimitSpec):
    """``|{o on s : o may not be on s}| ≤ 0`` for every scope item s.

    As a goal: the number of (object, item) pairs that should not be.

    Parameters
    ----------
    scope
        Places. Containers outside of the scope are not affected.
    assignments
        Object (or kind) → items; with `partition`, group → items, for all objects of the group.
    meaning
        ``avoid``: not on these items. ``only``: on no other items of the scope.
    partition
        A partition without overlaps, when `assignments` is by group.
    """

    scope: str
    assignments: Mapping[str, tuple[str, ...]]
    meaning: Literal["avoid", "only"] = "avoid"
    partition: str | None = None

    def __post_init__(self) -> None:
        if not self.assignments:
            raise InvalidInput("avoid_assignments: nothing is listed")

    def _weights(self, problem: Problem) -> DynamicWeights:
        """1 where an object may not be."""
        rows = np.full(problem.objects.size, -1, np.int32)
        items = problem.items(self.scope)
        base = np.zeros(problem.objects.size)
        entries: dict[int, dict[int, float]] = {}
        for k, (name, listed) in enumerate(self.assignments.items()):
            members = self._members(problem, name)
            if np.any(rows[members] >= 0):
                raise InvalidInput(f"avoid_assignments: an object of {name!r} is listed twice")
            rows[members] = k
            mentioned = {i for item in listed for i in items.members(item)}
            # "only" is 1 everywhere but on the listed items, which keeps the table as short as the list
            base[members] = 0.0 if self.meaning == "avoid" else 1.0
            entries[k] = dict.fromkeys(sorted(mentioned), 1.0 if self.meaning == "avoid" else 0.0)
        return item_weights(problem, self.scope, rows, entries, len(self.assignments), base=base)

    def _members(self, problem: Problem, name: str) -> list[int]:
        if self.partition is None:
            return list(problem.objects.members(name))
        groups: Named = problem.groups(self.partition)
        partition = problem.partition(self.partition)
        if not partition.disjoint:
            raise InvalidInput(f"avoid_assignments: the groups of {self.partition!r} overlap")
        return np.flatnonzero(partition.single == groups.members(name)[0]).tolist()

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        yield Limit("avoided", c.usage(c.problem.scope(self.scope), self._weights(c.problem)))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        there = measure.inside(problem, self.scope, assignment)
        labels = problem.items(self.scope).labels
        out = np.zeros(len(labels))
        for name, listed in self.assignments.items():
            for o in self._members(problem, name):
                for s, label in enumerate(labels):
                    out[s] += there[o, s] and ((label in listed) == (self.meaning == "avoid"))
        return out

    def describe(self) -> str:
        where = "off" if self.meaning == "avoid" else "on"
        return f"listed objects stay {where} their listed items of {self.scope}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", assignments={"t0": ("h1", "h2"), "t1": ("h0",)})
        # t0 is on h1; t1 is on h1, which it may be
        return sample(spec, start=[0, 0], end=[1, 1], hosts=3, value=1.0)
