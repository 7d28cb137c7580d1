"""`planner.placement`: limits hold, what runs stays, parts are spread; the solver against brute force."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from models.graph import evaluate
from planner.fleet.fleet import PlacementLimit
from planner.placement.place import Placement, place
from planner.placement.problem import placement_problem
from planner.placement.tenant import Tenant, make_tenants
from planner.plan import Stage
from planner.testing import make_candidate, make_fleet, make_instance
from solvers import SolveOptions
from specs import ExclusiveGroups, compile_problem

FLEET = make_fleet()


def place_all(
    tenants: tuple[Tenant, ...], candidates: list, limits: dict[int, int] | None = None, loss_of=None
) -> Placement:  # type: ignore[no-untyped-def, type-arg]
    fleet = replace(FLEET, policies=replace(FLEET.policies, loss_of=loss_of))
    return place(fleet, tenants, candidates, spread_limits=limits or {}, options=SolveOptions)


def test_gpus_of_a_node_are_a_hard_limit() -> None:
    four = [make_candidate(FLEET, gpus_per_group=4, tensor_parallel_size=4)]
    placement = place_all(make_tenants(four, {0: 3}, ()), four)
    assert sorted(s.node for stages in placement.stages.values() for s in stages) == [
        "a/r0/n0",
        "a/r1/n1",
        "a/r2/n2",
    ]
    too_many = place_all(make_tenants(four, {0: 4}, ()), four)
    assert [m.pool for m in too_many.misplaced] == ["a"]  # 16 of 18 GPUs, but only one group a node
    assert too_many.misplaced[0].crowded == {}


def test_parts_of_an_instance_are_on_nodes_of_their_own() -> None:
    wide = [
        make_candidate(FLEET, gpus_per_group=2, groups=3, tensor_parallel_size=2, pipeline_parallel_size=3)
    ]
    placement = place_all(make_tenants(wide, {0: 2}, ()), wide)
    for stages in placement.stages.values():
        assert len({stage.node for stage in stages}) == 3
        assert all(len(stage.gpus) == 2 for stage in stages)


def test_stages_of_a_part_share_its_gpus_in_order() -> None:
    both = [make_candidate(FLEET, gpus_per_group=4, tensor_parallel_size=2, pipeline_parallel_size=2)]
    placement = place_all(make_tenants(both, {0: 1}, ()), both)
    (stages,) = placement.stages.values()
    assert stages == (Stage(stages[0].node, (0, 1)), Stage(stages[0].node, (2, 3)))


def test_services_are_spread_over_nodes() -> None:
    one = [make_candidate(FLEET)]
    placement = place_all(make_tenants(one, {0: 7}, ()), one)
    load = Counter(stage.node for stages in placement.stages.values() for stage in stages)
    assert sorted(load.values()) == [2, 2, 3]


@pytest.mark.parametrize("loss_of", ["node", "rack"])
def test_spread_limits_are_hard_and_their_failure_says_what_is_possible(loss_of: str) -> None:
    candidates = [
        make_candidate(FLEET, gpus_per_group=5, tensor_parallel_size=5),
        make_candidate(FLEET, gpus_per_group=1, capacity_per_s=0.5),
    ]
    tenants = make_tenants(candidates, {0: 2, 1: 6}, ())
    # Two nodes have one GPU left each: the third must take four of the small ones.
    placement = place_all(tenants, candidates, {0: 1, 1: 2}, loss_of)
    (misplaced,) = placement.misplaced
    assert misplaced.crowded == {0: 1, 1: 4}
    assert place_all(tenants, candidates, {0: 1, 1: 4}, loss_of).misplaced == ()


def test_what_runs_stays_with_its_gpus() -> None:
    one = [make_candidate(FLEET, gpus_per_group=2, tensor_parallel_size=2)]
    current = [make_instance("old", (Stage("a/r1/n1", (4, 5)),))]
    tenants = make_tenants(one, {0: 3}, current)
    placement = place_all(tenants, one)
    assert placement.stages["old"] == (Stage("a/r1/n1", (4, 5)),)
    assert {stage.node for stages in placement.stages.values() for stage in stages} == {
        "a/r0/n0",
        "a/r1/n1",
        "a/r2/n2",
    }


def test_as_few_as_possible_move_when_some_must() -> None:
    candidates = [make_candidate(FLEET), make_candidate(FLEET, gpus_per_group=6, tensor_parallel_size=6)]
    current = [make_instance(f"chat-mixed-{n}", (Stage(f"a/r{n}/n{n}", (0,)),)) for n in range(3)]
    current.append(make_instance("chat-mixed-3", (Stage("a/r0/n0", (1,)),)))
    placement = place_all(make_tenants(candidates, {0: 4, 1: 1}, current), candidates)
    moved = [i.name for i in current if placement.stages[i.name] != i.stages]
    assert len(moved) == 1  # one node must be emptied for the group of six: one of those with one instance


def test_a_node_that_is_gone_frees_its_instances() -> None:
    one = [make_candidate(FLEET)]
    current = [make_instance("x", (Stage("a/r9/n9", (0,)),))]
    placement = place_all(make_tenants(one, {0: 1}, current), one)
    assert placement.stages["x"][0].node in {"a/r0/n0", "a/r1/n1", "a/r2/n2"}


def test_fewer_instances_keep_what_stays_spread() -> None:
    one = [make_candidate(FLEET)]
    places = ["a/r0/n0", "a/r0/n0", "a/r1/n1", "a/r0/n0"]
    current = [make_instance(f"i{n}", (Stage(node, (n,)),)) for n, node in enumerate(places)]
    stay = make_tenants(one, {0: 2}, current)
    assert [t.name for t in stay] == ["i0", "i2"]


def test_instances_that_lost_a_node_stop_before_others() -> None:
    one = [make_candidate(FLEET)]
    current = [make_instance(f"i{n}", (Stage("a/r0/n0", (n,)),)) for n in range(3)]
    stay = make_tenants(one, {0: 2}, current, gone=frozenset({"i0"}))
    assert [t.name for t in stay] == ["i1", "i2"]
    assert [t.name for t in make_tenants(one, {0: 3}, current, gone=frozenset({"i0"}))] == ["i1", "i2", "i0"]


def test_new_names_do_not_repeat_names_that_run() -> None:
    one = [make_candidate(FLEET)]
    current = [make_instance("chat-mixed-1", (Stage("a/r0/n0", (0,)),), workload="code")]
    assert [t.name for t in make_tenants(one, {0: 2}, current)] == ["chat-mixed-0", "chat-mixed-2"]


def test_the_answer_is_the_best_of_all_placements() -> None:
    candidates = [
        make_candidate(FLEET, gpus_per_group=4, tensor_parallel_size=4),
        make_candidate(FLEET, workload="code", model="code", gpus_per_group=2, tensor_parallel_size=2),
    ]
    current = [make_instance("code-mixed-7", (Stage("a/r0/n0", (0, 1)),), workload="code", model="code")]
    tenants = make_tenants(candidates, {0: 2, 1: 3}, current)
    problem = placement_problem(
        FLEET, FLEET.pools[0], tenants, candidates, loss_of=None, spread_limits={}, may_move=True
    )
    graph = compile_problem(problem)
    values = (evaluate(graph, np.array(a)) for a in itertools.product(range(3), repeat=5))
    best = min(tuple(np.round(v.tiers, 9).tolist()) for v in values if v.feasible)
    placement = place_all(tenants, candidates)
    got = placement.results["a"]
    assert got.status == "optimal"
    # Nothing has to move here, so the first tier of the brute force (movement) is 0 and the others are these.
    assert best[0] == 0
    assert [t.value for t in got.tiers] == pytest.approx(best[1:])


def test_limits_of_the_document_are_kept_and_told_apart_from_the_spread() -> None:
    limit = PlacementLimit(
        name="apart", spec=ExclusiveGroups(scope="node", partition="tenant"), pools=("a", "b")
    )
    fleet = replace(FLEET, policies=replace(FLEET.policies, placement_limits=(limit,)))
    both = [make_candidate(FLEET), make_candidate(FLEET, workload="code", model="code")]
    placement = place(
        fleet, make_tenants(both, {0: 8, 1: 6}, ()), both, spread_limits={}, options=SolveOptions
    )
    tenants: dict[str, set[str]] = {}
    for name, stages in placement.stages.items():
        tenants.setdefault(stages[0].node, set()).add(name.split("-")[0])
    assert placement.misplaced == ()
    assert all(len(there) == 1 for there in tenants.values())
    crowd = place(
        fleet, make_tenants(both, {0: 8, 1: 8}, ()), both, spread_limits={}, options=SolveOptions
    )  # three nodes of six: one tenant must do with one node
    assert [(m.pool, m.left_over_gpus) for m in crowd.misplaced] == [("a", 2)]


def test_power_of_a_rack_and_nodes_out_of_service() -> None:
    pool = replace(FLEET.pools[0], unavailable=(1,), gpu_watts=700.0, rack_limit_watts=2100.0)
    fleet = replace(FLEET, pools=(pool, FLEET.pools[1]))
    assert (pool.gpus, pool.usable_gpus) == (12, 6)
    one = [make_candidate(FLEET)]
    placement = place(fleet, make_tenants(one, {0: 6}, ()), one, spread_limits={}, options=SolveOptions)
    used = Counter(stages[0].node for stages in placement.stages.values())
    assert used == {"a/r0/n0": 3, "a/r2/n2": 3}
    more = place(fleet, make_tenants(one, {0: 7}, ()), one, spread_limits={}, options=SolveOptions)
    assert [m.left_over_gpus for m in more.misplaced] == [1]


def test_a_large_pool_is_packed_within_the_same_limits() -> None:
    pool = replace(FLEET.pools[0], nodes=300, gpus_per_node=8, racks=30)
    fleet = replace(FLEET, pools=(pool,), policies=replace(FLEET.policies, loss_of="rack"))
    both = [make_candidate(fleet, gpus_per_group=2, tensor_parallel_size=2), make_candidate(fleet)]
    tenants = make_tenants(both, {0: 90, 1: 60}, ())
    placement = place(fleet, tenants, both, spread_limits={0: 3, 1: 2}, options=SolveOptions)
    result = placement.results["a"]
    assert result.solver == "packing"
    assert len(placement.stages) == 150
    assert (result.tiers[0].value, result.tiers[0].gap) == (0.0, 0.0)
    racks = Counter((len(s[0].gpus), s[0].node.split("/")[1]) for s in placement.stages.values())
    assert max(n for (size, _), n in racks.items() if size == 2) <= 3


def test_free_gpus_are_kept_together_where_asked_for() -> None:
    two = [make_candidate(FLEET, gpus_per_group=2, tensor_parallel_size=2)]
    tenants = make_tenants(two, {0: 3}, ())
    for keep_free, free in (((), [4, 4, 4]), ((6,), [0, 6, 6])):
        fleet = replace(FLEET, policies=replace(FLEET.policies, keep_free=keep_free))
        placement = place(fleet, tenants, two, spread_limits={}, options=SolveOptions)
        used = Counter(stages[0].node for stages in placement.stages.values())
        assert sorted(6 - 2 * used[node] for node in ("a/r0/n0", "a/r1/n1", "a/r2/n2")) == free
