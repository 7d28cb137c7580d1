"""The cheapest way to make an infeasible problem feasible: which limits to raise, by how much."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from models.graph import Cells, Graph
from models.graph.cells import Array, elementwise
from models.graph.evaluate import Evaluator
from models.graph.space import Ints
from solvers.clock import Clock
from solvers.explain.conflict import feasibility_task
from solvers.milp.backends import backend
from solvers.milp.grain import UNKNOWN
from solvers.milp.lowering import Interrupted, Limit, Lowered, lower
from solvers.milp.model import MilpModel
from solvers.options import SolveOptions

__all__ = ["Raise", "Relaxation", "cheapest_relaxation"]

NEGLIGIBLE = 1e-7
"""Raises up to this × max(1, the limit's size) are rounding."""


@dataclass(frozen=True, slots=True)
class Raise:
    """Allow `amount` more (in the limit's own unit) in one element of one constraint."""

    limit: Limit
    amount: float

    def __str__(self) -> str:
        return f"raise {self.limit} by {self.amount:g}"


@dataclass(frozen=True, eq=False, slots=True)
class Relaxation:
    """Raises that make room for `assignment`; `proven`: their total, relative to the limits, is the least."""

    raises: tuple[Raise, ...]
    assignment: Ints
    proven: bool


def cheapest_relaxation(graph: Graph, options: SolveOptions | None = None) -> Relaxation | None:
    """The raises of limits with the least total, each relative to the size of its limit.

    The size of "usage − 8 <= 0" is 8; limits without a constant have the size 1. No raises: the problem is
    feasible as it is. None when nothing was found within the time limit.
    """
    options = options or SolveOptions()
    clock = Clock(options)
    try:
        lowered = lower(graph, prune=False, stopped=lambda: clock.stopped)
    except Interrupted:
        return None
    model, cost = _elastic(lowered)
    task = replace(feasibility_task(model, options, clock), cost=cost)
    outcome = backend("highs" if options.solver == "auto" else options.solver).solve(task)
    if outcome.x is None:
        return None
    assignment = lowered.decode(outcome.x)
    return Relaxation(_raises(graph, lowered, assignment), assignment, outcome.finished)


def _elastic(lowered: Lowered) -> tuple[MilpModel, Array]:
    """The model with one more column for each limit, what it is raised by, and their costs."""
    m = lowered.model
    rows = np.flatnonzero(m.block >= 0)
    k = rows.size
    largest = np.maximum(np.abs(m.lower), np.abs(m.upper))
    # no raise needs to be larger than the row can exceed its limit at all
    reach = np.asarray(abs(m.matrix[rows]) @ largest) + np.abs(m.row_upper[rows]) if k else np.empty(0)
    slack = sparse.csr_array((-np.ones(k), (rows, np.arange(k))), shape=(m.n_rows, k))
    size = np.maximum(np.abs(m.row_upper[rows]), 1.0)
    elastic = MilpModel(
        np.append(m.lower, np.zeros(k)),
        np.append(m.upper, reach),
        np.append(m.integer, np.zeros(k, np.bool_)),
        np.append(m.grain, np.full(k, UNKNOWN)),
        np.append(m.owner, np.full(k, -1)),
        sparse.csr_array(sparse.hstack([m.matrix, slack], format="csr")),
        m.row_lower,
        m.row_upper,
        m.block,
    )
    return elastic, np.append(np.zeros(m.n_columns), 1.0 / size)


def _raises(graph: Graph, lowered: Lowered, assignment: Ints) -> tuple[Raise, ...]:
    """By how much `assignment` really exceeds each limit, by the reference evaluation."""
    evaluator = Evaluator(graph, assignment)
    out = []
    excess = {}
    for limit in lowered.limits:
        constraint = limit.constraint
        if id(constraint) not in excess:
            value, node = evaluator.value(constraint.node), constraint.node
            excess[id(constraint)] = elementwise(np.subtract, [value, constraint.allowance], node.axis)
        held = excess[id(constraint)]
        if isinstance(held, Cells):
            amount = float(held.at(np.array([limit.element]))[0])
        else:
            amount = float(held[limit.element])
        if amount > NEGLIGIBLE * max(1.0, abs(amount)):
            out.append(Raise(limit, amount))
    return tuple(out)
