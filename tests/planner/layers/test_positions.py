"""`planner.layers`: the flow over places against the formulation with pairs, and against every placement."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import InvalidInput, Unsupported
from planner.layers import (
    LayerPlan,
    LayerProblem,
    NodeKind,
    layer_capacity_bound,
    place_layers,
    place_layers_by_pairs,
)

RATES = st.lists(st.integers(1, 9).map(float), min_size=1, max_size=3).map(tuple)


@st.composite
def problems(draw: st.DrawFn) -> LayerProblem:
    kinds = draw(st.lists(st.tuples(st.integers(1, 2), RATES), min_size=1, max_size=2))
    return LayerProblem(
        layers=draw(st.integers(1, 4)),
        kinds=tuple(
            NodeKind(name=f"k{n}", count=count, tokens_per_s=r) for n, (count, r) in enumerate(kinds)
        ),
    )


def assert_possible(problem: LayerProblem, plan: LayerPlan) -> None:
    """Nodes there are, no more than they compute, all layers passed by the whole flow."""
    kinds = {kind.name: kind for kind in problem.kinds}
    used: dict[str, int] = defaultdict(int)
    carried = [0.0] * problem.layers
    for held in plan.held:
        used[held.kind] += held.nodes
        assert held.tokens_per_s <= kinds[held.kind].tokens_per_s[held.count - 1] * held.nodes + 1e-5
        for layer in range(held.first, held.first + held.count):
            carried[layer] += held.tokens_per_s
    assert all(used[name] <= kind.count for name, kind in kinds.items())
    assert carried == pytest.approx([plan.tokens_per_s] * problem.layers, abs=1e-5)
    assert plan.tokens_per_s <= plan.bound + 1e-6


@settings(max_examples=25, deadline=None)
@given(problem=problems())
def test_both_formulations_have_the_same_optimum(problem: LayerProblem) -> None:
    places, pairs = place_layers(problem), place_layers_by_pairs(problem)
    assert places.proven
    assert pairs.proven
    assert places.tokens_per_s == pytest.approx(pairs.tokens_per_s, abs=1e-5)
    assert places.tokens_per_s <= layer_capacity_bound(problem) + 1e-6
    assert_possible(problem, places)
    assert_possible(problem, pairs)


def test_the_faster_node_takes_more_layers() -> None:
    fast = NodeKind(name="fast", count=1, tokens_per_s=(90.0, 60.0, 40.0))
    slow = NodeKind(name="slow", count=2, tokens_per_s=(40.0, 20.0))
    plan = place_layers(LayerProblem(layers=5, kinds=(fast, slow)))
    assert plan.tokens_per_s == pytest.approx(40.0)
    assert sorted((held.kind, held.count) for held in plan.held) == [("fast", 3), ("slow", 1), ("slow", 1)]


def test_nodes_that_hold_the_same_layers_share_them() -> None:
    fast = NodeKind(name="fast", count=1, tokens_per_s=(60.0,))
    slow = NodeKind(name="slow", count=2, tokens_per_s=(30.0,))
    assert place_layers(LayerProblem(layers=2, kinds=(fast, slow))).tokens_per_s == pytest.approx(60.0)


def test_links_that_bind_need_the_formulation_with_pairs() -> None:
    kind = NodeKind(name="k", count=2, tokens_per_s=(10.0,))
    problem = LayerProblem(layers=2, kinds=(kind,), link_tokens_per_s=4.0)
    with pytest.raises(Unsupported, match="place_layers_by_pairs"):
        place_layers(problem)
    assert place_layers_by_pairs(problem).tokens_per_s == pytest.approx(4.0)


def test_too_few_nodes_carry_nothing() -> None:
    kind = NodeKind(name="k", count=1, tokens_per_s=(10.0,))
    assert place_layers(LayerProblem(layers=2, kinds=(kind,))).tokens_per_s == 0.0


def test_nonsense_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one node"):
        NodeKind(name="k", count=0, tokens_per_s=(1.0,))
    with pytest.raises(InvalidInput, match="positive throughput"):
        NodeKind(name="k", count=1, tokens_per_s=())
    kind = NodeKind(name="k", count=1, tokens_per_s=(1.0,))
    with pytest.raises(InvalidInput, match="at least one layer"):
        LayerProblem(layers=0, kinds=(kind,))
    with pytest.raises(InvalidInput, match="link"):
        LayerProblem(layers=1, kinds=(kind,), link_tokens_per_s=0.0)
