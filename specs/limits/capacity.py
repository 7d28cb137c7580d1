"""An amount on each scope item is at most, or at least, a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.graph.cells import Array
from models.graph.space import Ints
from specs import measure
from specs.compiler import Compiler
from specs.parameters import Bound, Counted, chosen, item_numbers
from specs.problem import Problem
from specs.spec import Example, Limit, LimitSpec
from specs.values import Numbers

__all__ = ["Capacity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity(LimitSpec):
    """``used(s) ≤ L(s)`` (max), ``used(s) ≥ L(s)`` (min) or both (exact) for every scope item s.

    used(s) is the sum of the dimension over the objects that count for s; ``L(s) = limit`` where one is
    given, else ``fraction · capacity(s)``, in the dimension's unit. For a vector dimension every component is
    limited by itself. As a goal: the sum of what is beyond, in the dimension's unit.

    Parameters
    ----------
    scope, dimension
        What is limited, and where.
    limit
        In the dimension's unit: one number, or by item. None: `fraction` of the capacity.
    fraction
        Share of the capacity that may be used, at least 0.
    bound
        ``max``, ``min`` or ``exact``.
    counted
        Which objects count for a place. ``during`` leaves room for a move to happen.
    items
        Only these items; None: all.
    unless_empty
        For ``min``: an item on which nothing counts need not reach the limit.
    """

    scope: str
    dimension: str
    limit: Numbers | None = None
    fraction: float = 1.0
    bound: Bound = "max"
    counted: Counted = "after"
    items: tuple[str, ...] | None = None
    unless_empty: bool = False

    def __post_init__(self) -> None:
        if self.limit is not None and self.fraction != 1.0:
            raise InvalidInput(
                "capacity: give either an absolute limit or a fraction of the capacity, not both"
            )
        if not (np.isfinite(self.fraction) and self.fraction >= 0):
            raise InvalidInput(f"capacity: the fraction is at least 0, got {self.fraction}")
        if self.unless_empty and self.bound != "min":
            raise InvalidInput("capacity: unless_empty belongs to the bound 'min'")

    def _limits(self, problem: Problem) -> Array:
        if self.limit is not None:
            return item_numbers(problem, self.limit, self.scope, self.dimension, "capacity: limit")
        return self.fraction * measure.capacity(problem, self.scope, self.dimension)

    def _kept(self, problem: Problem) -> Array:
        kept = chosen(self.items, problem.items(self.scope), "capacity: items")
        return np.repeat(kept, problem.weights(self.dimension).n_components)

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        used = c.used(self.scope, self.dimension, self.counted)
        limits, kept = self._limits(c.problem), self._kept(c.problem)
        if self.bound in ("max", "exact"):
            yield Limit("at most", c.affine([(used, kept)], -limits * kept))
        if self.bound in ("min", "exact"):
            short = c.affine([(used, -kept)], limits * kept)
            yield Limit("at least", c.where(short, used) if self.unless_empty else short)

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        used = measure.usage(problem, self.scope, self.dimension, assignment, self.counted)
        over = (used - self._limits(problem)) * self._kept(problem)
        under = np.where(used > 1e-9, -over, 0.0) if self.unless_empty else -over
        return np.concatenate([over] * (self.bound != "min") + [under] * (self.bound != "max"))

    def describe(self) -> str:
        word = {"max": "at most", "min": "at least", "exact": "exactly"}[self.bound]
        share = "" if self.fraction == 1.0 else f"{self.fraction:.4g} of "
        amount = f"{share}its capacity" if self.limit is None else "its limit"
        which = "" if self.counted == "after" else f" ({self.counted})"
        return f"every {self.scope} holds {word} {amount} of {self.dimension}{which}"

    @classmethod
    def example(cls) -> Example:
        from specs.dimension import Dimension
        from specs.entities import Entities

        spec = cls(scope="host", dimension="memory")
        problem = Problem(
            objects=Entities(name="task", ids=["t0", "t1", "t2"]),
            containers=Entities(name="host", ids=["h0", "h1"]),
            assignment={"t0": "h0", "t1": "h0", "t2": "h1"},
            dimensions={"memory": Dimension(objects={"t0": 10, "t1": 9, "t2": 5}, containers=16, unit="GiB")},
            constraints=[spec],
        )
        # h0 holds 10 + 9 = 19 GiB, 3 more than it has
        return Example(problem=problem, spec=spec, assignment={"t0": "h0", "t1": "h0", "t2": "h1"}, value=3.0)
