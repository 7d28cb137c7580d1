"""The steps as a directed graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.plan.transition import Step, Transition

if TYPE_CHECKING:
    import networkx as nx

__all__ = ["critical_path", "step_graph"]


def step_graph(transition: Transition) -> nx.DiGraph[int]:
    """A graph: a node per step index, with its ``step`` and ``duration_s``; an edge per dependency."""
    import networkx as nx

    graph: nx.DiGraph[int] = nx.DiGraph()
    for step in transition.steps:
        graph.add_node(step.index, step=step, duration_s=step.end_s - step.start_s)
        graph.add_edges_from((before, step.index) for before in step.after)
    return graph


def critical_path(transition: Transition) -> tuple[Step, ...]:
    """The chain of steps that takes longest by dependencies alone: what to speed up first.

    Waiting for a free place in flight or for another load on the same node is not in it.
    """
    steps = transition.steps
    longest: list[float] = []
    previous: list[int | None] = []
    for step in steps:
        chosen = max(step.after, key=lambda i: longest[i], default=None)
        previous.append(chosen)
        longest.append((longest[chosen] if chosen is not None else 0.0) + step.end_s - step.start_s)
    at = max(range(len(steps)), key=lambda i: longest[i], default=None)
    path = []
    while at is not None:
        path.append(steps[at])
        at = previous[at]
    return tuple(reversed(path))
