"""`planner.sizing.alone` and its kernel against the exact solve of the same workload as a graph."""

from __future__ import annotations

from dataclasses import replace

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
