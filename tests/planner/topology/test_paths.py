"""`planner.topology.paths`: what placed instances make of links, through whole plans."""

from __future__ import annotations

import pytest

from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import create_plan
from planner.plan import Plan
from planner.topology.flows import Placed
from planner.topology.paths import reach


def make(text: str) -> Plan:
    return create_plan(text, options=PlanOptions(time_limit_s=30.0, verify=False))


def at(name: str, node: int, rack: int, bytes_per_s: float) -> Placed:
    return Placed(name=name, workload="w", pool="a", rack=rack, node=node, bytes_per_s=bytes_per_s)


def test_caches_go_no_farther_than_they_must() -> None:
    placed = [
        at("p0", 0, 0, 2.0), at("d0", 0, 0, -3.0),  # node 0 has room for one more
        at("p1", 1, 0, 2.0), at("d1", 1, 0, -1.0),  # node 1 sends one away: within the rack
        at("p2", 2, 1, 5.0), at("d3", 3, 1, -4.0), at("d4", 9, 2, -1.0),
    ]  # fmt: skip
    assert reach(placed) == {"p0": "node", "p1": "rack", "p2": "zone"}


def test_wide_links_are_hardly_used_and_said_to_be(links) -> None:  # type: ignore[no-untyped-def]
    plan = make(links())
    (moved,) = plan.kv_transfers
    assert moved.bytes_per_s == pytest.approx(12 * 6000 * 131072, rel=0.1)
    assert moved.fullest_share is not None
    assert moved.fullest_share < 0.2
    (again,) = Plan.from_json(plan.to_json()).kv_transfers
    assert again.within_racks == pytest.approx(moved.within_racks, rel=1e-5)
    assert any("their node first" in note for note in plan.notes)


def test_narrow_racks_keep_prefill_near_its_decode(links) -> None:  # type: ignore[no-untyped-def]
    (wide,), (narrow,) = make(links()).kv_transfers, make(links(rack="4GB/s")).kv_transfers
    assert narrow.within_racks > wide.within_racks
    assert narrow.fullest_share is not None
    assert narrow.fullest_share <= 0.8
    # what the wide plan sends between racks would not fit the narrow links
    assert (1 - wide.within_racks) * wide.bytes_per_s > 0.8 * 4e9


def test_the_way_of_the_caches_is_part_of_the_ttft(links) -> None:  # type: ignore[no-untyped-def]
    wide, slower, refused = make(links()), make(links(node="14GB/s")), make(links(node="2GB/s"))
    # slower hand-overs leave less of the target to queues
    assert slower.cost_per_hour > wide.cost_per_hour
    assert refused.diagnosis is not None
    assert (refused.state, refused.diagnosis.limit) == ("infeasible", "ttft")


def test_where_one_node_cannot_take_all_caches_more_of_them_do(links) -> None:  # type: ignore[no-untyped-def]
    text = links(node="6GB/s")
    plan = make(text)
    assert plan.state == "feasible"  # not proven any more: sizing was told what the links cannot do
    decode = {i.stages[0].node for i in plan.instances if i.role == "decode"}
    assert len(decode) >= 3  # 10.2 GB/s into nodes of 4.8 GB/s
    assert plan.kv_transfers[0].fullest_share is not None
    assert plan.kv_transfers[0].fullest_share <= 0.8
    assert plan.workloads[0].unserved_per_s == 0


def test_links_that_cannot_carry_it_are_the_diagnosis(links) -> None:  # type: ignore[no-untyped-def]
    # one GPU a node: nothing stays on a node, and prefill instances are on nodes of their own
    text = (
        links(node="9GB/s").replace("gpus_per_node: 8", "gpus_per_node: 2").replace("rate: 12/s", "rate: 3/s")
    )
    text = text.replace("nodes: 4", "nodes: 12").replace("bandwidth: 100GB/s", "bandwidth: 1.5GB/s")
    plan = make(text.replace("racks: 2", "racks: 12").replace("ttft_p95: 3s", "ttft_p95: 9s"))
    assert plan.diagnosis is not None
    assert plan.diagnosis.limit == "network"
    assert "read in z (2.56 GB/s)" in plan.diagnosis.message


def test_without_links_nothing_is_limited(links) -> None:  # type: ignore[no-untyped-def]
    text = "\n".join(line for line in links().splitlines() if "network:" not in line)
    fleet = read_fleet(text)
    assert fleet.pools[0].network is None
    plan = make(text)
    assert plan.kv_transfers[0].fullest_link is None
    assert any("50 GB/s" in note for note in plan.notes)
