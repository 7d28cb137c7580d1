"""`planner.sizing.day`: the cheapest course against all courses, and the bound of a whole day."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.fleet.fleet import Periods
from planner.sizing import SizingProblem
from planner.sizing.apart import Memo, solve_apart
from planner.sizing.changes import Level
from planner.sizing.day import _rises, _shortest, drawn_together, least_total
from planner.sizing.rounding import Service
from planner.sizing.schedule import _cost
from planner.testing import make_candidate, make_fleet
from solvers import SolveOptions


@settings(max_examples=60, deadline=None)
@given(data=st.data(), ring=st.booleans())
def test_the_course_is_the_cheapest_of_all(data: st.DataObject, ring: bool) -> None:
    periods, choices = data.draw(st.integers(2, 4)), data.draw(st.integers(1, 3))
    price = st.floats(0, 9)
    cost = np.array([[data.draw(price) for _ in range(choices)] for _ in range(periods)])
    rise = np.array([[data.draw(price) if a != b else 0.0 for b in range(choices)] for a in range(choices)])
    fixed = data.draw(st.integers(0, periods - 1))
    only = data.draw(st.integers(0, choices - 1))
    cost[fixed, [c for c in range(choices) if c != only]] = np.inf

    def total(path: tuple[int, ...]) -> float:
        steps = zip(path[-1:] + path[:-1] if ring else (path[0], *path[:-1]), path, strict=True)
        return sum(cost[t, c] for t, c in enumerate(path)) + sum(rise[a, b] for a, b in steps)

    found = tuple(_shortest(cost, rise, fixed, ring=ring).tolist())
    assert found[fixed] == only
    assert total(found) == pytest.approx(min(map(total, product(range(choices), repeat=periods))))


def test_a_rise_counts_what_a_group_grows() -> None:
    choices = np.array([[2.0, 0.0], [0.0, 3.0]])
    alone, together = Level(3600.0, (0, 1)), Level(1800.0, ("x", "x"))
    assert _rises(choices, [alone]).tolist() == [[0.0, 3.0], [2.0, 0.0]]
    assert _rises(choices, [alone, together]).tolist() == [[0.0, 3.5], [2.0, 0.0]]


@settings(max_examples=25, deadline=None)
@given(
    data=st.data(),
    reserved=st.sampled_from([0, 6]),
    loss_of=st.sampled_from([None, "node"]),
    ring=st.booleans(),
)
def test_workloads_drawn_together_cost_no_more_and_are_served(
    data: st.DataObject, reserved: int, loss_of: Literal["node"] | None, ring: bool
) -> None:
    fleet = make_fleet(loss_of)
    a, b = fleet.pools
    a = replace(a, nodes=6, reserved_gpus=reserved, reserved_price_per_gpu_hour=1.0)
    rates = {w.name: tuple(data.draw(st.floats(0.5, 9.0)) for _ in range(4)) for w in fleet.workloads}
    workloads = tuple(replace(w, period_rates_per_s=rates[w.name]) for w in fleet.workloads)
    periods = Periods(
        count=4,
        length_s=21_600.0 if ring else 3600.0,
        placed=data.draw(st.integers(0, 3)),
        start_delay_s=1800.0,
    )
    fleet = replace(fleet, pools=(a, b), workloads=workloads, periods=periods)
    candidates = tuple(
        make_candidate(fleet, workload=name, model=name, pool=pool, gpus_per_group=gpus,
                       tensor_parallel_size=gpus, capacity_per_s=data.draw(st.floats(0.8, 1.4)) * gpus)
        for name in ("chat", "code") for pool, gpus in (("a", 1), ("a", 4), ("b", 2))
    )  # fmt: skip
    barred = frozenset(data.draw(st.sampled_from([(), (1,), (0, 4)])))
    problem, memo = SizingProblem(fleet=fleet, candidates=candidates, barred=barred), Memo()
    rows = []
    for period in range(4):
        apart = solve_apart(problem.at(period), SolveOptions(), memo)
        assert apart is not None
        assert apart.counts is not None
        rows.append([int(count) for count in apart.counts])
    drawn = drawn_together(problem, rows, memo)
    assert drawn[periods.placed] == rows[periods.placed]
    assert _cost(problem, drawn) <= _cost(problem, rows) + 1e-9
    for period, row in enumerate(drawn):
        at = problem.at(period)
        service = Service(at)
        for workload in fleet.workloads:
            served = service.served(workload.name, np.array(row, np.int64))
            assert served >= at.demand_per_s(workload.name) * (1 - 1e-6)
        for pool in fleet.pools:
            used = sum(c.gpus * n for c, n in zip(candidates, row, strict=True) if c.pool == pool.name)
            assert used <= pool.usable_gpus


@settings(max_examples=60, deadline=None)
@given(
    least=st.lists(st.integers(0, 4), min_size=2, max_size=4),
    delay=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
    ring=st.booleans(),
)
def test_no_course_above_the_least_prices_costs_less_than_the_bound(
    least: list[int], delay: float, ring: bool
) -> None:
    bound = least_total(least, length_s=3600.0, delay_s=delay * 3600.0, ring=ring)

    def total(course: tuple[int, ...]) -> float:
        before = course[-1:] + course[:-1] if ring else (course[0], *course[:-1])
        return sum(course) + delay * sum(max(b - a, 0) for a, b in zip(before, course, strict=True))

    best = min(total(course) for course in product(*(range(low, 6) for low in least)))
    assert bound <= best + 1e-9
    if delay <= 1.0:
        assert bound == pytest.approx(best)
