"""Scope items that may not be in use at once: GPU slices that overlap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph import Axis
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import one, rescoped
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec

__all__ = ["ExclusiveScopeItems"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveScopeItems(LimitSpec):
    """``[a is in use] + [b is in use] − 1 ≤ 0`` for every pair (a, b) of items that exclude each other.

    An item is in use when it holds an object. As a goal: the number of pairs in use at once.

    Parameters
    ----------
    scope
        Whose items.
    conflicts
        Item → the items it excludes; one direction is enough, a pair named twice counts once.
    """

    scope: str
    conflicts: Mapping[str, tuple[str, ...]]

    def _pairs(self, problem: Problem) -> list[tuple[int, int]]:
        items = problem.items(self.scope)
        pairs: dict[tuple[int, int], None] = {}
        for name, others in self.conflicts.items():
            a = one(items, name)
            for other in others:
                b = one(items, other)
                if a == b:
                    raise InvalidInput(f"exclusive_scope_items: {name!r} cannot exclude itself")
                pairs[min(a, b), max(a, b)] = None
        if not pairs:
            raise InvalidInput("exclusive_scope_items: there are no conflicts")
        return list(pairs)

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        pairs, labels = self._pairs(problem), problem.items(self.scope).labels
        axis = Axis("conflict", len(pairs), [f"{labels[a]} and {labels[b]}" for a, b in pairs])
        in_use = []
        for side in (0, 1):
            pairs_of_item: list[list[int]] = [[] for _ in labels]
            for k, pair in enumerate(pairs):
                pairs_of_item[pair[side]].append(k)
            scope = rescoped(problem, self.scope, axis, pairs_of_item)
            in_use.append(c.present(c.usage(scope, np.ones(problem.objects.size))))
        yield Limit("not both in use", c.affine([(in_use[0], 1.0), (in_use[1], 1.0)], -1.0))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        there = measure.inside(problem, self.scope, assignment)
        return np.array(
            [float(there[:, a].any()) + float(there[:, b].any()) - 1.0 for a, b in self._pairs(problem)]
        )

    def describe(self) -> str:
        return f"overlapping items of {self.scope} are not in use at once"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", conflicts={"h0": ("h1", "h2"), "h1": ("h0",)})
        # h0 is in use with h1, not with h2
        return sample(spec, start=[0, 1], end=[0, 1], hosts=3, value=1.0)
