"""`planner.sizing.changes`: its formula against a transport problem, as a goal, and as a list of changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from models.graph import evaluate
from planner.candidates.candidate import Candidate
from planner.fleet import Fleet
from planner.fleet.fleet import Periods
from planner.sizing import SizingProblem
from planner.sizing.changes import change_cost, change_node, changes_between
from planner.sizing.columns import Columns, assignment_of
from planner.testing import make_candidate, make_fleet

SHAPES = [
    {"role": "mixed"},
    {"role": "prefill"},
    {"role": "decode"},
    {"role": "decode", "tensor_parallel_size": 2, "gpus_per_group": 2},
    {"role": "mixed", "tensor_parallel_size": 4, "gpus_per_group": 4},
    {"role": "mixed", "pool": "b"},
    {"role": "mixed", "workload": "code", "model": "code"},
    {"role": "mixed", "workload": "code"},
]


def make(switch_s: float, reshard_s: float, start_s: float) -> tuple[Fleet, tuple[Candidate, ...]]:
    fleet = make_fleet()
    periods = Periods(
        count=2, length_s=3600, placed=0, start_delay_s=start_s, reshard_s=reshard_s, role_switch_s=switch_s
    )
    fleet = replace(fleet, periods=periods)
    return fleet, tuple(make_candidate(fleet, **shape) for shape in SHAPES)


def cheapest(
    candidates: Sequence[Candidate], delays: tuple[float, float, float], before: list[int], after: list[int]
) -> float:
    """Least cost by a transport of GPUs from what ends to what begins, each pair at its delay."""
    switch, reshard, start = delays
    ends = [(c, b - a) for c, b, a in zip(candidates, before, after, strict=True) if b > a]
    begins = [(c, a - b) for c, b, a in zip(candidates, before, after, strict=True) if a > b]
    if not begins:
        return 0.0
    supply = [n * c.gpus for c, n in ends] + [1e6]
    wanted = [n * c.gpus for c, n in begins]

    def delay(old: Candidate | None, new: Candidate) -> float:
        if old is None or (old.model, old.pool) != (new.model, new.pool):
            return start
        return switch if old.tensor_parallel_size == new.tensor_parallel_size else reshard

    price = np.array(
        [
            [delay(old, new) * new.price_per_hour / new.gpus / 3600 for new, _ in begins]
            for old in [*(c for c, _ in ends), None]
        ]
    )
    rows, columns = price.shape
    out = np.kron(np.eye(rows), np.ones(columns))
    into = np.kron(np.ones(rows), np.eye(columns))
    return float(linprog(price.ravel(), A_ub=out, b_ub=supply, A_eq=into, b_eq=wanted).fun)


counts = st.lists(st.integers(0, 4), min_size=len(SHAPES), max_size=len(SHAPES))
delays = st.lists(st.sampled_from([0.0, 30.0, 240.0, 900.0]), min_size=3, max_size=3).map(sorted)


@settings(max_examples=80, deadline=None)
@given(before=counts, after=counts, delay=delays)
def test_formula_goal_and_list_agree_and_nothing_is_cheaper(before, after, delay) -> None:  # type: ignore[no-untyped-def]
    fleet, candidates = make(*delay)
    assert fleet.periods is not None
    cost = change_cost(candidates, fleet.periods, before, after)
    assert cost == pytest.approx(cheapest(candidates, tuple(delay), before, after), abs=1e-7)
    listed = list(changes_between(fleet, candidates, before, after))
    assert sum(change.cost for change in listed) == pytest.approx(cost, abs=1e-9)
    columns = Columns(SizingProblem(fleet=fleet, candidates=candidates))
    terms = change_node(columns, (before, None), fleet.periods)
    assert (change_node(columns, (None, None), fleet.periods)) == []
    value = columns.builder.affine([*terms, (columns.builder.total(columns.counts), 0.0)])
    columns.builder.minimize(value, tier=0, name="change")
    graph = columns.builder.build()
    assignment = assignment_of(after, graph.space.n_objects)
    if assignment is not None:
        assert evaluate(graph, assignment).tiers[0] == pytest.approx(cost, abs=1e-9)


def test_each_kind_is_named_with_what_ends_and_begins() -> None:
    fleet, candidates = make(36.0, 360.0, 3600.0)
    row = [0] * len(SHAPES)
    decode, prefill, wide = row.copy(), row.copy(), row.copy()
    decode[2], prefill[1], wide[4] = 4, 4, 1

    (switch,) = changes_between(fleet, candidates, decode, prefill)
    assert (switch.kind, switch.before, switch.after) == (
        "role_switch", ("4 × chat decode TP1",), ("4 × chat prefill TP1",),
    )  # fmt: skip
    assert switch.cost == pytest.approx(4 * 2.0 * 0.01)
    (reshard,) = changes_between(fleet, candidates, decode, wide)
    assert (reshard.kind, reshard.after, reshard.cost) == (
        "reshard",
        ("1 × chat mixed TP4",),
        pytest.approx(0.8),
    )
    (start,) = changes_between(fleet, candidates, row, wide)
    assert (start.kind, start.before, start.cost) == ("start", (), pytest.approx(8.0))
    (stop,) = changes_between(fleet, candidates, wide, row)
    assert (stop.kind, stop.after, stop.cost) == ("stop", (), 0.0)
