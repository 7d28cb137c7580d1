"""`planner.rounds`: what placement cannot do goes back to sizing, and the plan still keeps its promises."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from planner.assemble import make_instances, make_outcomes
from planner.clock import Clock
from planner.fleet import Fleet
from planner.goals import merged_objectives, plan_state
from planner.loads import Placed, surviving_rate
from planner.options import PlanOptions
from planner.rounds import Rounds, size_and_place
from planner.sizing import solve as solving
from planner.testing import make_candidate, make_fleet
from solvers import Result

CLOCK = Clock(options=PlanOptions())


def one_workload(fleet: Fleet, rate: float, **policies: object) -> Fleet:
    chat = replace(fleet.workloads[0], rate_per_s=rate)
    settings = replace(fleet.policies, headroom=0.0, **policies)  # type: ignore[arg-type]
    return replace(fleet, workloads=(chat,), policies=settings)


def left(fleet: Fleet, rounds: Rounds) -> float:
    """Surviving rate of what was placed."""
    assert rounds.placement is not None
    candidates = rounds.problem.candidates
    placed = [
        Placed(
            role=candidates[t.candidate].role,
            zone=candidates[t.candidate].zone,
            capacity_per_s=candidates[t.candidate].capacity_per_s,
            stages=rounds.placement.stages[t.name],
        )
        for t in rounds.tenants
    ]
    return surviving_rate(placed, fleet.policies.loss_of)


def test_one_round_when_sizing_was_right() -> None:
    fleet = one_workload(make_fleet("node"), 4.0)
    rounds = size_and_place(fleet, [make_candidate(fleet)], (), CLOCK)
    assert rounds.count == 1
    assert sum(rounds.sizing.counts.values()) == 6  # two a node on three nodes: four are left
    assert left(fleet, rounds) == 4
    assert plan_state(rounds, make_outcomes(fleet, ()), "serve_what_fits", cancelled=False) == "optimal"


def test_groups_that_do_not_pack_shrink_the_pool() -> None:
    # Nodes of 6: groups of 4 and of 3 exclude each other, though 4 + 4 + 4 + 3 + 3 GPUs would do.
    fleet = one_workload(make_fleet(), 39.0, shortage="serve_what_fits")
    candidates = [
        make_candidate(fleet, gpus_per_group=4, capacity_per_s=10.0),
        make_candidate(fleet, gpus_per_group=3, capacity_per_s=4.5),
    ]
    rounds = size_and_place(fleet, candidates, (), CLOCK)
    assert rounds.placement is not None
    assert rounds.placement.misplaced == ()
    assert rounds.count > 1
    assert left(fleet, rounds) == pytest.approx(max(10 * n + 4.5 * 2 * (3 - n) for n in range(4)))


def test_uneven_spread_is_learnt_and_paid_for() -> None:
    # A running instance of five holds its node almost alone, so the small ones cannot be spread evenly.
    fleet = one_workload(make_fleet("node"), 7.0)
    candidates = [
        make_candidate(fleet, gpus_per_group=5, capacity_per_s=0.1),
        make_candidate(fleet, gpus_per_group=1, capacity_per_s=1.0),
    ]
    rounds = size_and_place(fleet, candidates, (), CLOCK)
    assert rounds.placement is not None
    assert rounds.placement.misplaced == ()
    assert left(fleet, rounds) >= 7.0


def test_bounds_are_those_of_the_first_round() -> None:
    fleet = one_workload(make_fleet("node"), 4.0)
    rounds = size_and_place(fleet, [make_candidate(fleet)], (), CLOCK)
    cost = next(o for o in merged_objectives(rounds) if o.name == "cost")
    assert (cost.value, cost.bound, cost.gap) == (12.0, 12.0, 0.0)
    worse = replace(rounds, bounds=tuple(replace(t, bound=(t.bound or 0.0) / 2) for t in rounds.bounds))
    objectives = merged_objectives(worse)
    at = [o.name for o in objectives].index("cost")
    assert objectives[at].gap == pytest.approx(0.5)
    assert all(
        o.bound is None for o in objectives[at + 1 :] if o.stage == "sizing"
    )  # conditional on the cost


def test_short_supply_ends_before_placement() -> None:
    fleet = one_workload(make_fleet(), 100.0)
    rounds = size_and_place(fleet, [make_candidate(fleet)], (), CLOCK)
    assert rounds.placement is None
    assert rounds.sizing.shortage_is_proven
    assert plan_state(rounds, (), "refuse", cancelled=False) == "infeasible"


def test_no_candidates_serve_nothing() -> None:
    fleet = one_workload(make_fleet(), 1.0)
    rounds = size_and_place(fleet, [], (), CLOCK)
    assert rounds.sizing.unserved_share == 1.0
    assert plan_state(rounds, (), "refuse", cancelled=False) == "infeasible"


def test_what_lost_its_node_is_not_counted_as_running() -> None:
    """A full pool loses a node: what is left is kept, the rest goes where there is room."""
    fleet = one_workload(make_fleet(), 4.0)
    candidates = [make_candidate(fleet, pool=pool, gpus_per_group=6) for pool in ("a", "b")]
    before = size_and_place(fleet, candidates, (), CLOCK)
    assert before.placement is not None
    instances = make_instances(fleet, before.tenants, candidates, before.placement.stages)
    dead = next(iter(instances[0].stages)).node
    pools = tuple(
        replace(p, unavailable=tuple(n for n in range(p.nodes) if p.node_name(n) == dead))
        for p in fleet.pools
    )
    after = size_and_place(replace(fleet, pools=pools), candidates, instances, CLOCK)
    assert after.problem.current == Counter(i.shape for i in instances if i.stages[0].node != dead)
    assert after.placement is not None
    assert not after.placement.misplaced


@pytest.mark.parametrize("large", [False, True])
def test_a_node_lost_when_the_time_is_over_is_made_up_for(
    large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs no longer serves all that must be served; the solvers find nothing, the plan is whole."""
    monkeypatch.setattr(solving, "LARGE", 1 if large else 99)
    fleet = replace(one_workload(make_fleet(), 11.0), goals=("unserved_demand", "cost", "movement"))
    candidates = [make_candidate(fleet, pool=pool) for pool in ("a", "b")]
    before = size_and_place(fleet, candidates, (), CLOCK)
    assert before.placement is not None
    instances = make_instances(fleet, before.tenants, candidates, before.placement.stages)
    dead = instances[0].stages[0].node
    pools = tuple(
        replace(p, unavailable=tuple(n for n in range(p.nodes) if p.node_name(n) == dead))
        for p in fleet.pools
    )
    broken = replace(fleet, pools=pools)
    monkeypatch.setattr(solving, "solve", lambda *_: Result(status="unknown", assignment=None, solver="none"))
    over = Clock(options=PlanOptions(time_limit_s=1e-9), started=CLOCK.started - 1.0)
    after = size_and_place(broken, candidates, instances, over)
    assert after.placement is not None
    assert not after.placement.misplaced
    assert left(broken, after) >= 11.0
    stay = {t.name for t in after.tenants if t.running is not None}
    assert stay >= {i.name for i in instances if i.stages[0].node != dead}
    assert plan_state(after, (), "refuse", cancelled=False) == "feasible"
