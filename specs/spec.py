"""What every spec provides. A spec is one file in a folder of `specs`: a frozen dataclass of parameters.

::

    Spec                 a goal: goal(), check(), describe(), example()
    └── LimitSpec        also a constraint: constraints(), excess(); its goal is the sum of what is beyond
"""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.graph.cells import Array
from models.graph.graph import Node
from models.graph.ops.unary import PositivePart
from models.graph.space import Ints

if TYPE_CHECKING:
    from specs.compiler import Compiler
    from specs.problem import Problem

__all__ = ["Example", "Limit", "LimitSpec", "Spec", "parameters", "snake_case"]


@dataclass(frozen=True, slots=True)
class Limit:
    """Every element of `node` must be at most 0; `name` says what it limits."""

    name: str
    node: Node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Example:
    """A small problem, an assignment of it by name, and what the spec's `check` says about it."""

    problem: Problem
    spec: Spec
    assignment: dict[str, str | None]
    value: float


class Spec(ABC):
    """A goal: a number to be made small. Subclasses are frozen dataclasses in a file of their own name."""

    __slots__ = ()

    @classmethod
    def kind(cls) -> str:
        """The name in documents: ``group_count`` for GroupCount in ``group_count.py``."""
        return snake_case(cls.__name__)

    @abstractmethod
    def goal(self, c: Compiler) -> Node:
        """The scalar node to be minimised, in the unit of the docstring's formula."""

    @abstractmethod
    def check(self, problem: Problem, assignment: Ints) -> float:
        """The same number from the problem's data in plain NumPy, not by way of the graph.

        Small problems only: memory is objects × scope items.
        """

    @abstractmethod
    def describe(self) -> str:
        """One sentence for people: what this instance asks for."""

    @classmethod
    @abstractmethod
    def example(cls) -> Example:
        """Return a small problem with the value expected by hand."""


class LimitSpec(Spec):
    """A set of limits "element ≤ 0"; as a goal, the sum of what is beyond them."""

    __slots__ = ()

    @abstractmethod
    def constraints(self, c: Compiler) -> Iterable[Limit]:
        """The nodes that must be at most 0."""

    @abstractmethod
    def excess(self, problem: Problem, assignment: Ints) -> Array:
        """float64[n]: every element of `constraints`, in their order, in plain NumPy (see `check`)."""

    def goal(self, c: Compiler) -> Node:
        terms = [(c.total(c.node(PositivePart(), limit.node)), 1.0) for limit in self.constraints(c)]
        return c.affine(terms)

    def check(self, problem: Problem, assignment: Ints) -> float:
        return float(np.maximum(self.excess(problem, assignment), 0.0).sum())


def parameters(spec: Any) -> tuple[dataclasses.Field[Any], ...]:
    """The parameters of a spec or of its class."""
    return dataclasses.fields(spec)


def snake_case(name: str) -> str:
    """``group_count`` for ``GroupCount``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
