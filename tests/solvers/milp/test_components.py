"""Independent parts are found, and solving them by themselves gives the optimum of the whole."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.graph import AssignmentSpace, Axis, GraphBuilder, Partition, Scope
from models.graph.ops import ROWS, Peak, PositivePart, Total
from solvers import SolveOptions, solve
from solvers.milp.backend import Task
from solvers.milp.backends import backend
from solvers.milp.components import find_parts, solve_parts
from solvers.milp.lowering import lower


def zones(n_zones=4, per_zone=6, hosts=3, *, linked=True, seed=0):
    """Objects that must stay in their zone; the cost of moving is linked by the most moves of a group."""
    rng = np.random.default_rng(seed)
    n, m = n_zones * per_zone, n_zones * hosts
    zone = np.repeat(np.arange(n_zones), per_zone)
    start = (zone * hosts).astype(np.int32)
    space = AssignmentSpace(Axis("o", n), Axis("h", m), start, np.zeros(n, bool))
    b = GraphBuilder(space)
    own = Partition.from_single("zone", Axis("zone", n_zones), zone)
    area = Scope.from_single("area", Axis("area", n_zones), np.repeat(np.arange(n_zones), hosts))
    stays = b.group_usage(own, area, np.ones(n), "new")
    b.constrain(b.node(Total(ROWS), stays), spec="stay in the zone")
    weights = rng.integers(1, 9, n).astype(float)
    used = b.usage(Scope.identity(space.containers), weights)
    level = float(np.ceil(weights.sum() / m)) + 1
    b.minimize(b.total(b.node(PositivePart(), b.affine([(used, 1.0)], -level))), weight=10.0, spec="load")
    groups = Partition.from_single("group", Axis("group", 2 * n_zones), 2 * zone + np.arange(n) % 2)
    moved = b.group_usage(groups, Scope.identity(space.containers), np.ones(n), "new")
    if linked:
        b.minimize(b.node(Peak(), b.node(Total(ROWS), moved)), weight=7.0, spec="most moves")
    b.minimize(b.total(b.node(Total(ROWS), moved)), spec="moves")
    return b.build()


def task_of(graph):
    lowered = lower(graph)
    tier = lowered.tiers.taken(np.array([0]))
    cost = np.zeros(lowered.model.n_columns)
    cost[tier.column] = tier.coefficient
    return lowered, Task(
        model=lowered.model, cost=cost, offset=float(tier.constant[0]), start=None, time_limit_s=None,
        gap=1e-9, threads=1, seed=0, on_progress=lambda *_: False,
    )  # fmt: skip


@pytest.mark.parametrize("linked", [False, True])
def test_zones_are_parts(linked):
    lowered, _ = task_of(zones(linked=linked))
    parts = find_parts(lowered.model)
    assert parts is not None
    assert len(parts.columns) == 4
    assert (parts.link is not None) == linked
    together = np.sort(np.concatenate([*parts.columns, [] if parts.link is None else [parts.link]]))
    assert np.array_equal(together, np.arange(lowered.model.n_columns))


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_parts_have_the_optimum_of_the_whole(linked, seed):
    lowered, task = task_of(zones(linked=linked, seed=seed))
    highs = backend("highs")
    whole = highs.solve(task)
    parts = find_parts(lowered.model)
    found = solve_parts(highs.solve, task, parts, np.inf, lambda: None)
    value = float(task.cost @ whole.x) + task.offset
    assert found.bound <= value + 1e-6
    assert found.bound == pytest.approx(value, abs=0.5)
    if found.x is not None:
        assert float(task.cost @ found.x) + task.offset >= value - 1e-6
        lowered.decode(found.x)


def test_one_piece_is_no_parts():
    n, m = 20, 5
    space = AssignmentSpace(Axis("o", n), Axis("h", m), np.zeros(n, np.int32), np.zeros(n, bool))
    b = GraphBuilder(space)
    used = b.usage(Scope.identity(space.containers), np.arange(1.0, n + 1))
    b.minimize(b.node(Peak(), used), spec="peak")
    assert find_parts(lower(b.build()).model) is None


def test_an_impossible_part_makes_the_whole_impossible():
    graph = zones(linked=True)
    lowered, task = task_of(graph)
    parts = find_parts(lowered.model)
    # the first object would have to be in two places at once
    lower_, upper = lowered.model.row_lower.copy(), lowered.model.row_upper.copy()
    lower_[0] = upper[0] = 99.0
    model = replace(lowered.model, row_lower=lower_, row_upper=upper)
    outcome = solve_parts(backend("highs").solve, replace(task, model=model), parts, np.inf, lambda: None)
    assert outcome.infeasible


def test_large_zones_are_solved_by_parts():
    result = solve(zones(8, 20, 6), SolveOptions(solver="highs", time_limit_s=60))
    assert result.status == "optimal"
    assert result.statistics.get("parts", 0) >= 8
