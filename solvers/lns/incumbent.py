"""The best assignment so far with the value of every node, kept up to date part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.graph import HARD, Graph, Node
from models.graph.axis import ProductAxis
from models.graph.cells import Cells, Value
from models.graph.evaluate import Evaluator
from models.graph.space import Ints

if TYPE_CHECKING:
    from solvers.lns.restrict import Restriction

__all__ = ["Incumbent"]


class Incumbent:
    """An assignment of `graph` and the values of all nodes that goals and hard constraints depend on.

    Parameters
    ----------
    graph
        The whole problem.
    assignment
        int32[n_objects]; evaluated in full once, later only where it changes.
    """

    def __init__(self, graph: Graph, assignment: Ints) -> None:
        self.graph = graph
        self.nodes = _needed(graph)
        self.move_to(assignment)

    def move_to(self, assignment: Ints) -> None:
        """Another assignment, evaluated in full."""
        evaluator = Evaluator(self.graph, assignment)
        self.assignment: Ints = evaluator.assignment.copy()
        self._values: dict[int, Value] = {n.index: evaluator.value(n) for n in self.nodes}

    def value(self, node: Node) -> Value:
        """Value of `node` at the assignment."""
        return self._values[node.index]

    @property
    def tiers(self) -> tuple[float, ...]:
        """Value of each goal tier."""
        return tuple(
            float(sum(t.weight * self._scalar(t.node) for t in tier.terms)) for tier in self.graph.tiers
        )

    def _scalar(self, node: Node) -> float:
        value = self._values[node.index]
        assert not isinstance(value, Cells)
        return float(value[0])

    def absorb(self, part: Restriction, assignment: Ints) -> None:
        """Move the part's free objects as `assignment` (of the part) says; only live elements change."""
        evaluator = Evaluator(part.graph, assignment)
        moved = self.assignment.copy()
        moved[part.objects] = part.containers_of(assignment)
        for node in self.nodes:
            inner = part.nodes[node.index]
            if inner.children or inner.op.kind != "Constant":
                self._values[node.index] = _written(
                    self._values[node.index], part.live.of(node.axis), evaluator.value(inner), node
                )
        self.assignment = moved


def _written(
    value: Value, elements: np.ndarray[tuple[int], np.dtype[np.int64]], new: Value, node: Node
) -> Value:
    flat = new.dense() if isinstance(new, Cells) else new
    if not isinstance(value, Cells):
        out = value.copy()
        out[elements] = flat
        return out
    assert isinstance(node.axis, ProductAxis)
    keys = np.union1d(value.keys, elements)
    values = Cells(value.shape, value.background, value.keys, value.values).at(keys)
    values[np.searchsorted(keys, elements)] = flat
    return Cells(value.shape, value.background, keys, values)


def _needed(graph: Graph) -> list[Node]:
    """Nodes below a goal or hard constraint, children first."""
    wanted: set[int] = set()
    pending = [t.node for tier in graph.tiers for t in tier.terms]
    pending += [c.node for c in graph.constraints if c.enforcement == HARD]
    while pending:
        node = pending.pop()
        if node.index not in wanted:
            wanted.add(node.index)
            pending.extend(node.children)
    return [n for n in graph.nodes if n.index in wanted]
