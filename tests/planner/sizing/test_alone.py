"""`planner.sizing.alone` and its kernel against the exact solve of the same workload as a graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.sizing import SizingProblem
from planner.sizing.alone import GAP, Alone
from planner.sizing.kernel import compile_search, search
from planner.sizing.rounding import Service
from planner.sizing.solve import solve_sizing
from planner.testing import make_candidate, make_fleet
from solvers import SolveOptions

ROLES = ("mixed", "prefill", "decode")


@st.composite
def problems(draw: st.DrawFn) -> SizingProblem:
    """One workload on two pools, in one zone or two, with every policy about losses."""
    fleet = make_fleet(draw(st.sampled_from([None, "node", "rack", "zone"])))
    zone = draw(st.sampled_from(["near", "far"]))
    workload = replace(fleet.workloads[0], rate_per_s=draw(st.floats(0.2, 40.0)))
    fleet = replace(
        fleet,
        pools=(replace(fleet.pools[0], nodes=12, zone="near"), replace(fleet.pools[1], nodes=8, zone=zone)),
        workloads=(workload,),
        goals=("unserved_demand", "cost"),
    )
    ways = draw(
        st.lists(
            st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(ROLES), st.sampled_from([1, 2, 4])),
            min_size=1,
            max_size=8,
            unique=True,
        )
    )
    candidates = [
        make_candidate(
            fleet, workload="chat", model="chat", pool=pool, role=role, gpus_per_group=gpus,
            capacity_per_s=draw(st.floats(0.6, 1.6)) * gpus,
        )
        for pool, role, gpus in ways
    ]  # fmt: skip
    uneven = {0: 2} if draw(st.booleans()) else {}
    return SizingProblem(fleet=fleet, candidates=tuple(candidates), unevenness=uneven)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_as_good_as_the_exact_solve(problem: SizingProblem) -> None:
    exact = solve_sizing(problem, SolveOptions())
    prices = {pool.name: pool.price_per_gpu_hour for pool in problem.fleet.pools}
    found = Alone(problem, "chat").solve(problem.demand_per_s("chat"), prices)
    if found is None:
        assert not exact.covers_demand
        return
    counts = np.array(found.counts, np.int64)
    assert Service(problem).served("chat", counts) >= problem.demand_per_s("chat") * (1 - 1e-6)
    assert found.price == pytest.approx(
        sum(c.price_per_hour * n for c, n in zip(problem.candidates, found.counts, strict=True))
    )
    assert found.bound <= found.price
    if exact.covers_demand:
        best = exact.tiers[-1].value
        assert found.bound <= best * (1 + 1e-6)
        # The pools as a whole are no limit here, so that it may even be cheaper.
        assert found.price <= best * (1 + 2 * GAP)


@pytest.mark.parametrize("loss_of", ["node", "zone"])
def test_three_zones_are_never_said_to_cost_less_than_they_do(loss_of: Literal["node", "zone"]) -> None:
    fleet = replace(make_fleet(), goals=("unserved_demand", "cost"))
    a, b = fleet.pools
    pools = (replace(a, nodes=12), replace(b, nodes=8), replace(b, name="c", zone="z2", nodes=8))
    policies = replace(fleet.policies, loss_of=loss_of)
    workload = replace(fleet.workloads[0], rate_per_s=17.0)
    fleet = replace(fleet, pools=pools, policies=policies, workloads=(workload,))
    candidates = tuple(
        make_candidate(fleet, workload="chat", model="chat", pool=pool, role=role, gpus_per_group=gpus,
                       capacity_per_s=rate * gpus)
        for pool, role, gpus, rate in (
            ("a", "mixed", 2, 0.9), ("a", "mixed", 1, 0.7), ("b", "prefill", 1, 2.1), ("b", "decode", 2, 1.3),
            ("b", "mixed", 4, 1.1), ("c", "mixed", 2, 1.2), ("c", "mixed", 1, 0.8),
        )
    )  # fmt: skip
    problem = SizingProblem(fleet=fleet, candidates=candidates)
    best = solve_sizing(problem, SolveOptions()).tiers[-1].value
    prices = {pool.name: pool.price_per_gpu_hour for pool in pools}
    found = Alone(problem, "chat").solve(problem.demand_per_s("chat"), prices)
    assert found is not None
    assert found.bound <= best * (1 + 1e-6)
    assert found.price == pytest.approx(best, rel=2 * GAP)
    counts = np.array(found.counts, np.int64)
    assert Service(problem).served("chat", counts) >= problem.demand_per_s("chat") * (1 - 1e-6)


def test_a_limit_of_the_counts_is_kept() -> None:
    fleet = make_fleet()
    small, large = (
        make_candidate(fleet, workload="chat", model="chat", pool="a", gpus_per_group=gpus,
                       capacity_per_s=rate)
        for gpus, rate in ((1, 1.0), (4, 3.0))
    )  # fmt: skip
    alone = Alone(SizingProblem(fleet=fleet, candidates=(small, large)), "chat")
    prices = {pool.name: 1.0 for pool in fleet.pools}
    free = alone.solve(5.5, prices)
    assert free is not None
    assert free.counts == (6, 0)
    held = alone.solve(5.5, prices, most=np.array([2, 9]))
    assert held is not None
    assert held.counts == (0, 2)
    assert alone.solve(5.5, prices, most=np.array([2, 1])) is None
    nothing = alone.solve(0.0, prices)
    assert nothing is not None
    assert nothing.counts == (0, 0)


def test_warming_up_compiles_for_the_arrays_that_searches_have() -> None:
    compile_search()
    known = len(search.signatures)
    alone = Alone(SizingProblem(fleet=make_fleet("node"), candidates=(make_candidate(make_fleet()),)), "chat")
    assert alone.solve(3.0, {"a": 2.0, "b": 3.0}) is not None
    assert len(search.signatures) == known
