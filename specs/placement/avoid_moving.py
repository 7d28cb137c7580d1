"""Some objects stay where they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from models.graph.cells import Array
from models.graph.space import Ints
from specs.compiler import Compiler
from specs.parameters import chosen
from specs.problem import Problem
from specs.spec import Example, Limit, LimitSpec

__all__ = ["AvoidMoving"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AvoidMoving(LimitSpec):
    """``Σ_o [o ends elsewhere than it started] ≤ 0`` over the listed objects.

    Objects that start unassigned are not held: they may be placed. As a goal: the number of listed objects
    that moved.

    Parameters
    ----------
    objects
        Names (or kinds); None: all objects.
    """

    objects: tuple[str, ...] | None = None

    def _held(self, problem: Problem) -> Array:
        listed = chosen(self.objects, problem.objects, "avoid_moving: objects")
        return np.where(problem.space.initial >= 0, listed, 0.0)

    def constraints(self, c: Compiler) -> Iterable[Limit]:
        yield Limit("moved objects", c.moved_amount(self._held(c.problem)))

    def excess(self, problem: Problem, assignment: Ints) -> Array:
        names = problem.objects.labels if self.objects is None else self.objects
        listed = {i for name in names for i in problem.objects.members(name)}
        start = problem.space.initial
        return np.array([float(sum(start[o] >= 0 and start[o] != assignment[o] for o in listed))])

    def describe(self) -> str:
        return (
            "no object moves" if self.objects is None else f"{len(self.objects)} listed objects stay in place"
        )

    @classmethod
    def example(cls) -> Example:
        from specs.entities import Entities

        spec = cls(objects=("t0", "t1"))
        problem = Problem(
            objects=Entities(name="task", ids=["t0", "t1", "t2"]),
            containers=Entities(name="host", ids=["h0", "h1"]),
            assignment={"t0": "h0", "t1": "h0", "t2": "h0"},
            constraints=[spec],
        )
        # t1 may not move, t2 may
        return Example(problem=problem, spec=spec, assignment={"t0": "h0", "t1": "h1", "t2": "h1"}, value=1.0)
