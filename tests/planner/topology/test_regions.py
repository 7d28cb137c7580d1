"""`planner.topology.regions`: distances, and what the spill policies make of them."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from models.document import InvalidDocument
from planner.candidates.enumerate import enumerate_candidates
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import create_plan
from planner.plan import Plan
from planner.topology.regions import round_trip_ms

FLEET = """\
fleet: world
topology:
  regions: [{name: us, zones: [u]}, {name: eu, zones: [e]}, {name: ap, zones: [p]}]
  links: [{regions: [us, eu], round_trip: 80ms}, {regions: [us, ap], round_trip: 150ms}]
pools:
  - {name: us, gpu: h100-sxm-80gb, nodes: 1, gpus_per_node: 8, zone: u, price_per_gpu_hour: 2}
  - {name: eu, gpu: h100-sxm-80gb, nodes: 1, gpus_per_node: 2, zone: e, price_per_gpu_hour: 4}
  - {name: ap, gpu: h100-sxm-80gb, nodes: 1, gpus_per_node: 2, zone: p, price_per_gpu_hour: 2}
models: [{name: m, architecture: llama-3.1-8b}]
workloads:
  - name: chat
    model: m
    rate: 100/s
    regions: {eu: 75%, us: 25%}
    lengths: {levels: [0, 1], input_tokens: [200, 900], output_tokens: [50, 200]}
    slo: {ttft_p95: 500ms, tpot_p95: 20ms}
policies: {roles: [mixed], parallelism: {tensor: [1], pipeline: [1]}, spill: SPILL}
"""


def make(spill: str, rate: str = "100/s") -> Plan:
    text = FLEET.replace("SPILL", spill).replace("100/s", rate)
    return create_plan(text, options=PlanOptions(time_limit_s=30.0, verify=False))


def where(plan: Plan) -> Counter[tuple[str, str]]:
    return Counter((i.workload, i.pool) for i in plan.instances)


def test_each_region_is_a_workload_with_its_share() -> None:
    fleet = read_fleet(FLEET.replace("SPILL", "free"))
    rates = {w.name: (w.region, w.rate_per_s, w.tenant) for w in fleet.workloads}
    assert rates == {"chat.eu": ("eu", 75.0, "chat"), "chat.us": ("us", 25.0, "chat")}


def test_distances_are_those_of_the_shortest_way() -> None:
    fleet = read_fleet(FLEET.replace("SPILL", "free"))
    eu = fleet.workload("chat.eu")
    assert [round_trip_ms(fleet, eu, pool) for pool in fleet.pools] == [80.0, 0.0, 230.0]
    apart = read_fleet(FLEET.replace("SPILL", "free").replace(", {regions: [us, ap], round_trip: 150ms}", ""))
    assert math.isinf(round_trip_ms(apart, eu, apart.pool("ap")))


def test_free_spill_goes_where_it_is_cheapest_and_keeps_the_target() -> None:
    plan = make("free")
    assert {pool for _, pool in where(plan)} <= {"us", "ap"}
    eu = next(w for w in plan.workloads if w.name == "chat.eu")
    assert eu.ttft_ms is not None
    assert 80.0 < eu.ttft_ms <= 500.0
    assert any("80 ms there and back from eu" in note for note in plan.notes)


def test_short_spill_stays_at_home_while_there_is_room() -> None:
    home = make("when_short", rate="40/s")
    assert set(where(home)) == {("chat.eu", "eu"), ("chat.us", "us")}
    assert next(o.value for o in home.objectives if o.name == "gpus_away") == 0
    # two GPUs in eu do not carry 90/s: only what is missing goes elsewhere
    short = make("when_short", rate="120/s")
    assert where(short)["chat.eu", "eu"] == 2
    away = sum(n for (workload, pool), n in where(short).items() if workload == "chat.eu" and pool != "eu")
    assert away == next(o.value for o in short.objectives if o.name == "gpus_away") == 1


def test_never_spill_is_refused_with_the_reason() -> None:
    plan = make("never", rate="120/s")
    assert plan.state == "infeasible"
    refused = enumerate_candidates(read_fleet(FLEET.replace("SPILL", "never"))).refused
    assert "requests from eu are never served in us (policies.spill)" in {r.reason for r in refused}


def test_a_way_longer_than_the_target_is_refused_with_both() -> None:
    text = FLEET.replace("SPILL", "free").replace("ttft_p95: 500ms", "ttft_p95: 100ms")
    reasons = {r.reason for r in enumerate_candidates(read_fleet(text)).refused}
    assert "the way from eu to ap and back takes 230 ms, the TTFT target is 100 ms" in reasons


def test_refusals_say_what_the_way_takes_off_the_target() -> None:
    text = FLEET.replace("SPILL", "free").replace("ttft_p95: 500ms", "ttft_p95: 240ms")
    late = [r for r in enumerate_candidates(read_fleet(text)).refused if r.limit == "ttft" and r.pool == "ap"]
    assert late
    mine = [r.reason for r in late if r.workload == "chat.eu"]
    assert all(reason.endswith("(targets are less 230 ms on the way)") for reason in mine)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("eu: 75%", "ue: 75%", "unknown region 'ue'; known: ap, eu, us"),
        ("us: 25%", "us: 35%", "add up to 100%, got 110"),
        ("zones: [p]", "zones: [u]", "is in a region already"),
        ("zones: [p]", "zones: [q]", "in no region: zone p"),
        ("regions: [us, eu], round", "regions: [us, us], round", "two different regions"),
        ("round_trip: 80ms", "round_trip: 80", "needs one of the units"),
        ("SPILL", "sometimes", "never"),
    ],
)
def test_mistakes_are_located(old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=r"line|:") as caught:
        read_fleet(FLEET.replace(old, new).replace("SPILL", "free"), source="f.yaml")
    assert said in str(caught.value)
