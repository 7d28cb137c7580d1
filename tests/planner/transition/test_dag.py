from itertools import pairwise

import networkx as nx
import pytest

from planner.transition import critical_path, plan_transition, step_graph

NODES = {"a": {"n0": 4, "n1": 4}}


@pytest.fixture
def swap(make, times):
    old = [make("x", "n0", [0], workload="chat"), make("y", "n0", [1], workload="code")]
    new = [make("x", "n0", [1], workload="chat"), make("y", "n0", [0], workload="code")]
    return plan_transition(old, new, nodes=NODES, times=times)


def test_the_graph_is_acyclic_and_holds_every_step(swap):
    graph = step_graph(swap)
    assert nx.is_directed_acyclic_graph(graph)
    assert sorted(graph) == [s.index for s in swap.steps]
    assert {graph.nodes[i]["step"].side for i in graph} == {"current", "new", "temporary"}


def test_the_critical_path_is_the_longest_chain(swap):
    path = critical_path(swap)
    assert all(a.index in b.after for a, b in pairwise(path))
    graph = step_graph(swap)
    length = {i: graph.nodes[i]["duration_s"] for i in graph}
    for i in nx.topological_sort(graph):
        length[i] += max((length[p] for p in graph.predecessors(i)), default=0.0)
    assert sum(s.end_s - s.start_s for s in path) == pytest.approx(max(length.values()))


def test_nothing_has_no_critical_path(make, times):
    assert critical_path(plan_transition([], [], nodes=NODES, times=times)) == ()
