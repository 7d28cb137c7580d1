"""The reference reader: the whole graph for one assignment, in plain NumPy. What the graph *means*."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.graph.axis import ProductAxis
from models.graph.cells import Array, Cells, Value, as_dense, elementwise
from models.graph.graph import HARD, Constraint, Graph, Node
from models.graph.ops.base import LeafOp
from models.graph.space import Ints

__all__ = ["FEASIBILITY_TOLERANCE", "ConstraintValue", "Evaluation", "Evaluator", "evaluate"]

FEASIBILITY_TOLERANCE = 1e-6
"""A hard constraint holds when no element exceeds its allowance by more than this × max(1, |allowance|)."""


@dataclass(frozen=True, slots=True)
class ConstraintValue:
    """How a constraint stands.

    ``worst``: largest excess over the allowance (negative: slack); ``violation``: sum of positive excesses;
    ``broken``: number of elements in excess; ``where``: label of the worst element when broken.
    """

    constraint: Constraint
    worst: float
    violation: float
    broken: int
    where: str | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything the roots say about one assignment.

    ``tiers``: float64[n_tiers]; ``terms``: for each tier the weighted value of each term.
    """

    tiers: Array
    terms: tuple[tuple[float, ...], ...]
    constraints: tuple[ConstraintValue, ...]

    @property
    def feasible(self) -> bool:
        """Whether all hard constraints hold."""
        return all(c.broken == 0 for c in self.constraints if c.constraint.enforcement == HARD)


class Evaluator:
    """Values of nodes for one assignment, computed once each and on demand."""

    def __init__(self, graph: Graph, assignment: npt.ArrayLike) -> None:
        self.graph = graph
        self.assignment: Ints = graph.space.check(assignment)
        self._values: dict[int, Value] = {}

    def value(self, node: Node) -> Value:
        """Value of `node`: a flat array over its axis, or `Cells` over a sparse axis."""
        pending = [node]
        while pending:
            top = pending[-1]
            if top.index in self._values:
                pending.pop()
                continue
            missing = [c for c in top.children if c.index not in self._values]
            if missing:
                pending.extend(missing)
                continue
            if isinstance(top.op, LeafOp):
                made = top.op.evaluate(self.graph.space, self.assignment)
            else:
                made = top.op.evaluate(
                    [self._values[c.index] for c in top.children], [c.axis for c in top.children]
                )
            self._values[top.index] = made
            pending.pop()
        return self._values[node.index]

    def scalar(self, node: Node) -> float:
        """Value of a scalar node."""
        value = self.value(node)
        assert not isinstance(value, Cells)
        return float(value[0])

    def constraint(self, constraint: Constraint) -> ConstraintValue:
        """How `constraint` stands."""
        node = constraint.node
        excess = elementwise(np.subtract, [self.value(node), constraint.allowance], node.axis)
        broken_by = elementwise(_beyond, [excess, constraint.allowance], node.axis)
        if isinstance(excess, Cells):
            assert isinstance(broken_by, Cells)
            return _sparse_value(constraint, excess, broken_by)
        broken = np.flatnonzero(as_dense(broken_by))
        worst = float(excess.max()) if excess.size else -np.inf
        where = node.axis.label(int(excess.argmax())) if broken.size else None
        return ConstraintValue(constraint, worst, float(excess[broken].sum()), int(broken.size), where)


def _beyond(excess: Array, allowance: Array) -> Array:
    return np.asarray(excess > FEASIBILITY_TOLERANCE * np.maximum(1.0, np.abs(allowance)), np.float64)


def _sparse_value(constraint: Constraint, excess: Cells, broken_by: Cells) -> ConstraintValue:
    axis = constraint.node.axis
    assert isinstance(axis, ProductAxis)
    if np.any(broken_by.background):
        flat = excess.dense()
        broken = np.flatnonzero(broken_by.dense())
        worst = int(flat.argmax())
        total = float(flat[broken].sum())
        return ConstraintValue(constraint, float(flat[worst]), total, int(broken.size), axis.label(worst))
    hit = broken_by.values > 0
    count = int(hit.sum())
    # an untouched cell is some background; the largest is an upper limit on what any of them shows
    highest = max(
        float(excess.background.max()) if excess.background.size else -np.inf,
        float(excess.values.max()) if excess.values.size else -np.inf,
    )
    where = axis.label(int(excess.keys[excess.values.argmax()])) if count else None
    return ConstraintValue(constraint, highest, float(excess.values[hit].sum()), count, where)


def evaluate(graph: Graph, assignment: npt.ArrayLike) -> Evaluation:
    """Evaluate all goal tiers and constraints of `graph` for `assignment` (int[n_objects], -1 unassigned).

    Raises InvalidInput when `assignment` is not one of the graph's space.
    """
    evaluator = Evaluator(graph, assignment)
    terms = tuple(tuple(t.weight * evaluator.scalar(t.node) for t in tier.terms) for tier in graph.tiers)
    return Evaluation(
        tiers=np.array([sum(t) for t in terms], np.float64),
        terms=terms,
        constraints=tuple(evaluator.constraint(c) for c in graph.constraints),
    )
