"""An item's share of the larger item it lies in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.derived import rescoped
from specs.dimension import COUNT
from specs.parameters import item_numbers
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers

__all__ = ["NestedLimit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NestedLimit(LimitSpec):
    """``used(s) ≤ share(s) · used(outer(s))`` for every item s that lies in an item of the outer scope.

    In the dimension's unit. As a goal: the sum of what is beyond.

    Parameters
    ----------
    scope, outer
        The finer and the coarser scope; every item of `scope` with a container inside of `outer` lies in
        exactly one of its items. Items outside are not limited.
    share
        One number, or by item of `scope`.
    dimension
        What is summed; the number of objects by default.
    """

    scope: str
    outer: str
    share: Numbers
    dimension: str = COUNT

    def _outer_item(self, problem: Problem) -> list[int]:
        """Outer item of each item, -1 for those outside."""
        inner, outer = problem.scope(self.scope), problem.scope(self.outer)
        found: list[set[int]] = [set() for _ in range(inner.items.size)]
        for container in range(problem.containers.size):
            around = outer.indices[outer.indptr[container] : outer.indptr[container + 1]].tolist()
            for item in inner.indices[inner.indptr[container] : inner.indptr[container + 1]]:
                found[item].update(around or [-1])
        for item, around_item in enumerate(found):
            if len(around_item) > 1:
                raise InvalidInput(
                    f"nested_limit: {self.scope} {inner.items.label(item)!r} is not inside one {self.outer}"
                )
        return [next(iter(x), -1) for x in found]

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        problem = c.problem
        outer_item = self._outer_item(problem)
        share = item_numbers(problem, self.share, self.scope, self.dimension, "nested_limit: share")
        inner_of: list[list[int]] = [[] for _ in range(problem.items(self.outer).size)]
        for item, around in enumerate(outer_item):
            if around >= 0:
                inner_of[around].append(item)
        own_axis = problem.scope(self.scope).items
        around_scope = rescoped(problem, self.outer, own_axis, inner_of)
        weights = problem.weights(self.dimension)
        if problem.by_item(self.dimension) is not None:
            raise InvalidInput(f"nested_limit: {self.dimension!r} may not depend on the place")
        kept = np.repeat((np.array(outer_item) >= 0).astype(np.float64), weights.n_components)
        yield Limit(
            "share of the outer item",
            c.affine(
                [(c.used(self.scope, self.dimension), kept), (c.usage(around_scope, weights), -share * kept)]
            ),
        )

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        outer_item = np.array(self._outer_item(problem))
        share = item_numbers(problem, self.share, self.scope, self.dimension, "nested_limit: share")
        components = problem.weights(self.dimension).n_components
        inner = measure.usage(problem, self.scope, self.dimension, assignment).reshape(-1, components)
        around = measure.usage(problem, self.outer, self.dimension, assignment).reshape(-1, components)
        beyond = inner - share.reshape(-1, components) * around[outer_item]
        return np.asarray(np.where(outer_item[:, None] >= 0, beyond, 0.0).reshape(-1))

    def describe(self) -> str:
        return f"no {self.scope} holds more than its share of the {self.dimension} of its {self.outer}"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", outer="rack", share=0.5)
        # r0 holds 3 tasks: h0 with 2 is 0.5 beyond 1.5; h2 is all of r1, 0.5 beyond 0.5
        return sample(spec, start=[0, 0, 1, 2], end=[0, 0, 1, 2], hosts=3, racks=[0, 0, 1], value=1.0)
