"""The most used scope item, the k-th most used, or the k most used together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput, Unsupported
from models.graph import SCALAR, Node
from models.graph.cells import Array
from models.graph.ops.reduce import KthLargest, LargestSum, Onto, Peak
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.dimension import Dimension
from specs.parameters import Counted, chosen
from specs.problem import Problem
from specs.sample import sample
from specs.spec import Example, Spec

__all__ = ["MinimizePeak"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimizePeak(Spec):
    """``max(floor, k-th largest x(s))`` over scope items s, or the sum of the k largest.

    ``x(s) = used(s) / capacity(s)``, or ``used(s)`` in the dimension's unit when not `relative`. For a vector
    dimension every (item, component) is an element.

    Parameters
    ----------
    scope, dimension
        Places and what is summed.
    k
        1 for the largest, 2 for the second largest, …; at most the number of elements.
    sum_of_largest
        Take the sum of the k largest in place of the k-th.
    relative
        Whether to divide by the capacity; items without capacity are then left out.
    floor
        Below this it makes no difference.
    counted
        Which objects count for a place.
    items
        Only these items; None: all.
    """

    scope: str
    dimension: str
    k: int = 1
    sum_of_largest: bool = False
    relative: bool = True
    floor: float = 0.0
    counted: Counted = "after"
    items: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InvalidInput(f"minimize_peak: k is at least 1, got {self.k}")
        if not np.isfinite(self.floor):
            raise InvalidInput(f"minimize_peak: the floor is a finite number, got {self.floor}")

    def _factors(self, problem: Problem) -> Array:
        """What usage is multiplied with; NaN for elements that are left out."""
        kept = chosen(self.items, problem.items(self.scope), "minimize_peak: items")
        kept = np.repeat(kept, problem.weights(self.dimension).n_components)
        if self.relative:
            capacity = measure.capacity(problem, self.scope, self.dimension)
            with np.errstate(divide="ignore"):
                factors = np.where((kept > 0) & (capacity > 0), 1.0 / capacity, np.nan)
        else:
            factors = np.where(kept > 0, 1.0, np.nan)
        there = int((~np.isnan(factors)).sum())
        if self.k > there:
            raise Unsupported(f"minimize_peak: k is {self.k}, there are only {there} elements")
        return np.asarray(factors)

    def goal(self, c: Compiler) -> Node:
        factors = self._factors(c.problem)
        out = np.isnan(factors)
        onto = Onto("map", np.where(out, -1, 0).astype(np.int64), SCALAR) if out.any() else Onto("all")
        x = c.affine([(c.used(self.scope, self.dimension, self.counted), np.where(out, 0.0, factors))])
        if self.sum_of_largest:
            value = c.node(LargestSum(self.k, onto), x)
        else:
            value = c.node(Peak(onto) if self.k == 1 else KthLargest(self.k, onto), x)
        # max(floor, v) = floor + max(0, v − floor)
        return c.affine([(c.positive(c.affine([(value, 1.0)], -self.floor)), 1.0)], self.floor)

    def check(self, problem: Problem, assignment: Ints) -> float:
        x = self._factors(problem) * measure.usage(
            problem, self.scope, self.dimension, assignment, self.counted
        )
        falling = np.sort(x[~np.isnan(x)])[::-1]
        value = falling[: self.k].sum() if self.sum_of_largest else falling[self.k - 1]
        return float(max(self.floor, value))

    def describe(self) -> str:
        rank = (
            "the largest"
            if self.k == 1
            else f"the {self.k} largest"
            if self.sum_of_largest
            else f"number {self.k}"
        )
        what = "utilisation" if self.relative else "amount"
        return f"{rank} {what} of {self.dimension} over {self.scope} is small"

    @classmethod
    def example(cls) -> Example:
        spec = cls(scope="host", dimension="cpu", k=2)
        cpu = Dimension(objects=[4, 3, 1], containers=8)
        # 4 / 8, 3 / 8, 1 / 8: the second largest
        return sample(spec, start=[0, 0, 0], end=[0, 1, 2], hosts=3, dimensions={"cpu": cpu}, value=0.375)
