"""Fleets planned by regions: sound, as feasible as the whole, and not much dearer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.candidates.enumerate import enumerate_candidates
from planner.clock import Clock
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.plan.check import violations
from planner.regions import plan_by_region
from planner.regions.divide import cost_bound, divide
from planner.regions.region import regional_fleet, regions_of, why_whole
from planner.testing import SMALL_FLEET, make_fleet

OPTIONS = PlanOptions(verify=False)
LENGTHS = "lengths: {levels: [0, 1], input_tokens: [100, 300], output_tokens: [10, 50]}"
FOUR = "gpus_per_node: 4"
SLO = "slo: {ttft_p95: 1s, tpot_p95: 40ms}"


def fleet_of(rates, nodes=(3, 2), loss_of="node"):
    """Two zones of unlike prices, and a workload for each rate."""
    lines = [
        "fleet: wide",
        "pools:",
        f"  - {{name: a, gpu: h100-sxm-80gb, nodes: {nodes[0]}, zone: z0, price_per_gpu_hour: 2, {FOUR}}}",
        f"  - {{name: b, gpu: l40s-48gb, nodes: {nodes[1]}, zone: z1, price_per_gpu_hour: 1, {FOUR}}}",
        "models:",
        *(f"  - {{name: m{i}, architecture: llama-3.1-8b}}" for i in range(len(rates))),
        "workloads:",
        *(f"  - {{model: m{i}, rate: {rate}/s, {LENGTHS}, {SLO}}}" for i, rate in enumerate(rates)),
        f"policies: {{headroom: 10%, survive: {{loss_of: {loss_of}}}}}",
        "goals: [unserved_demand, cost, movement]",
    ]
    return read_fleet("\n".join(lines))


def clock(options=OPTIONS):
    return Clock(options=options)


@pytest.mark.parametrize("rates", [(3, 2, 4), (60, 40, 80, 20), (150, 90)])
def test_sound_and_near_the_whole(rates, executor):
    fleet = fleet_of(rates)
    found = plan_by_region(fleet, clock(), executor)
    whole = plan_fleet(fleet, clock()).plan
    assert bool(found.plan.instances) == bool(whole.instances)
    assert list(violations(fleet, found.plan)) == []
    if found.why_whole is None:
        assert set(found.region_of) == {workload.name for workload in fleet.workloads}
        for instance in found.plan.instances:
            assert fleet.pool(instance.pool).zone == found.region_of[instance.workload]
        assert found.cost_bound <= whole.cost_per_hour * (1 + 1e-9)
        assert whole.cost_per_hour <= found.plan.cost_per_hour * (1 + 1e-4)
        assert f"{found.cost_bound:,.2f}/h" in found.sentence()


def test_regions_are_verified_and_the_plan_is_one(executor):
    fleet = fleet_of((30, 20, 40))
    found = plan_by_region(fleet, clock(PlanOptions()), executor)
    assert found.why_whole is None
    assert found.plan.verification.met
    served = [replay.workload for replay in found.plan.verification.replays]
    assert list(dict.fromkeys(served)) == [workload.name for workload in fleet.workloads]
    again = plan_by_region(fleet, clock(PlanOptions()), executor)
    assert again.plan.to_json() == found.plan.to_json()


def test_what_no_region_can_carry_alone_is_planned_as_a_whole(executor):
    small = fleet_of((100, 2), nodes=(2, 2))
    candidates = enumerate_candidates(small).accepted
    most = dict.fromkeys(("z0", "z1"), 0.0)
    for zone, pool in (("z0", "a"), ("z1", "b")):
        best = max(c.capacity_per_s / c.gpus for c in candidates if c.pool == pool and c.role == "mixed")
        most[zone] = best * small.pool(pool).gpus
    fleet = replace(
        small,
        policies=replace(small.policies, loss_of=None),
        workloads=(
            replace(small.workloads[0], rate_per_s=1.02 * max(most.values()) / 1.1),
            small.workloads[1],
        ),
    )
    found = plan_by_region(fleet, clock(), executor)
    assert found.why_whole is not None
    assert found.region_of == {}
    whole = plan_fleet(fleet, clock()).plan
    assert found.plan.to_json() == whole.to_json()
    assert "planned as a whole" in found.sentence()


def test_what_runs_stays_in_its_region(executor):
    fleet = fleet_of((3, 2, 4))
    before = plan_by_region(fleet, clock(), executor)
    # the dear region becomes the cheap one: nothing crosses over for it
    pools = tuple(replace(pool, price_per_gpu_hour=3 - pool.price_per_gpu_hour) for pool in fleet.pools)
    after = plan_by_region(replace(fleet, pools=pools), clock(), executor, current=before.plan)
    assert after.region_of == before.region_of
    assert after.plan.transition is not None


def test_a_region_that_fails_gets_less_and_the_whole_is_tried_last(executor, monkeypatch):
    fleet = fleet_of((3, 2, 4))
    rooms = []

    def spy(*arguments, room, **settings):
        rooms.append(dict(room))
        return divide(*arguments, room=room, **settings)

    def nothing(tasks, *_, **__):
        return [plan_fleet(task.fleet, Clock(options=OPTIONS, cancelled=lambda: True)).plan for task in tasks]

    monkeypatch.setattr("planner.regions.plan.divide", spy)
    monkeypatch.setattr("planner.regions.plan.plan_all", nothing)
    found = plan_by_region(fleet, clock(), executor)
    assert found.divisions == len(rooms) == 4
    assert min(rooms[-1].values()) == pytest.approx(0.9**3)
    assert "could not be planned" in found.why_whole
    assert found.plan.instances


def test_why_a_fleet_is_planned_as_a_whole():
    fleet = make_fleet()
    assert why_whole(fleet) is None
    assert "loss of a zone" in why_whole(make_fleet("zone"))
    assert "one zone" in why_whole(read_fleet(SMALL_FLEET.replace("z1", "z0")))
    shortage = replace(fleet.policies, shortage="serve_what_fits")
    assert "short" in why_whole(replace(fleet, policies=shortage))
    assert "one workload" in why_whole(replace(fleet, workloads=fleet.workloads[:1]))


def test_regions_and_their_fleets():
    fleet = make_fleet()
    first, second = regions_of(fleet)
    assert (first.name, first.pools, second.name, second.pools) == ("z0", ("a",), "z1", ("b",))
    part = regional_fleet(fleet, second, {"code"})
    assert [pool.name for pool in part.pools] == ["b"]
    assert [workload.name for workload in part.workloads] == ["code"]
    assert [model.name for model in part.models] == ["code"]


def test_the_bound_is_below_every_plan_and_none_where_nothing_fits():
    fleet = fleet_of((30, 20))
    accepted = enumerate_candidates(fleet).accepted
    bound = cost_bound(fleet, accepted)
    assert 0 < bound <= plan_fleet(fleet, clock()).plan.cost_per_hour
    flooded = replace(fleet, workloads=tuple(replace(w, rate_per_s=1e6) for w in fleet.workloads))
    assert cost_bound(flooded, accepted) is None
