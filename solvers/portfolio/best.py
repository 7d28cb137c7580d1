"""The best assignment that all members of the portfolio have found so far."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from models.graph import HARD, Evaluation, Graph, evaluate
from models.graph.space import Ints

__all__ = ["Best"]


class Best:
    """By objects that lack a container, by violation of hard constraints, then tier by tier. Thread-safe.

    Parameters
    ----------
    graph
        The problem.
    assignment
        int32[n_objects]: where to start; it need not be valid.
    """

    def __init__(self, graph: Graph, assignment: Ints) -> None:
        anywhere = np.ones(graph.space.n_objects, np.bool_)
        self._graph = replace(graph, space=replace(graph.space, may_be_unassigned=anywhere))
        self._must = ~graph.space.may_be_unassigned
        self._lock = threading.Lock()
        self.source = "start"
        self.assignment = np.asarray(assignment, np.int32)
        self.evaluation = evaluate(self._graph, self.assignment)
        self._key = self._key_of(self.assignment, self.evaluation)

    def offer(self, assignment: Ints, source: str, known: Evaluation | None = None) -> bool:
        """Take `assignment` if it is better; `source` names who found it.

        `known`: what the reference says about it, where that is known and says that it is feasible.
        """
        evaluation = known or evaluate(self._graph, assignment)
        key = self._key_of(assignment, evaluation)
        with self._lock:
            for mine, other in zip(self._key, key, strict=True):
                if abs(mine - other) > 1e-12 * max(1.0, abs(mine), abs(other)):
                    if other < mine:
                        self._key, self.source, self.evaluation = key, source, evaluation
                        self.assignment = np.asarray(assignment, np.int32).copy()
                    return other < mine
        return False

    def better_than(self, values: tuple[float, ...]) -> Ints | None:
        """The best so far if it is feasible and better than an assignment with these tier values."""
        with self._lock:
            if any(self._key[:2]):
                return None
            for mine, other in zip(self._key[2:], values, strict=True):
                if abs(mine - other) > 1e-9 * max(1.0, abs(mine), abs(other)):
                    return self.assignment if mine < other else None
        return None

    def _key_of(self, assignment: Ints, found: Evaluation) -> tuple[float, ...]:
        violation = sum(c.violation for c in found.constraints if c.constraint.enforcement == HARD)
        stranded = float(((np.asarray(assignment) < 0) & self._must).sum())
        return (stranded, float(violation), *found.tiers.tolist())

    @property
    def assigned(self) -> bool:
        """Whether every object has a container that must have one."""
        return self._key[0] == 0

    @property
    def feasible(self) -> bool:
        """Whether all hard constraints hold."""
        return self._key[0] == 0 and self._key[1] == 0

    @property
    def tiers(self) -> tuple[float, ...]:
        """Value of each goal tier."""
        return self._key[2:]
