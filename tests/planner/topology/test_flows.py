"""`planner.topology.flows`: loads of links against routing every flow explicitly (a multi-commodity LP)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from planner.fleet import read_fleet
from planner.fleet.network import Link, Network
from planner.placement.tenant import Tenant
from planner.testing import make_candidate
from planner.topology.flows import Placed, cache_bytes, kv_flows, link_loads

NODES = {("a", 0): 0, ("a", 1): 0, ("a", 2): 1, ("b", 0): 0}
"""(pool, node) → rack."""


@st.composite
def layouts(draw: st.DrawFn) -> list[Placed]:
    """Instances of two workloads on three nodes of one pool and one of another; what is sent is received."""
    made = []
    for workload in ("v", "w"):
        sides = [draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)) for _ in range(2)]
        for sign, side in zip((1.0, -1.0), sides, strict=True):
            for number, weight in enumerate(side):
                pool, node = draw(st.sampled_from(sorted(NODES)))
                made.append(
                    Placed(
                        name=f"{workload}{sign}{number}",
                        workload=workload,
                        pool=pool,
                        node=node,
                        rack=NODES[pool, node],
                        bytes_per_s=sign * 12.0 * weight / sum(side),
                    )
                )
    return made


def links_of(placed: Placed) -> tuple[str, str]:
    return (f"node {placed.node} of {placed.pool}", f"rack {placed.rack} of {placed.pool}")


def routable(placed: list[Placed], bandwidth: dict[str, float]) -> bool:
    """Whether amounts f[sender, receiver] exist that empty all senders within every link's two directions."""
    pairs = [
        (s, r)
        for s in placed
        for r in placed
        if s.bytes_per_s > 0 > r.bytes_per_s and s.workload == r.workload
    ]
    ends = np.array([[float(each in pair) for pair in pairs] for each in placed])
    amounts = [abs(each.bytes_per_s) for each in placed]
    rows, limits = [], []
    for level, name in ((0, "node"), (1, "rack")):
        for link in sorted({links_of(each)[level] for each in placed}):
            for mine, other in ((0, 1), (1, 0)):
                crossing = [
                    float(links_of(p[mine])[level] == link and links_of(p[other])[level] != link)
                    for p in pairs
                ]
                rows.append(crossing)
                limits.append(bandwidth[name])
    return bool(linprog(np.zeros(len(pairs)), A_ub=rows, b_ub=limits, A_eq=ends, b_eq=amounts).success)


@settings(max_examples=60, deadline=None)
@given(placed=layouts(), node=st.integers(1, 14), rack=st.integers(1, 20))
def test_loads_keep_the_bandwidths_exactly_when_the_flows_can_be_routed(placed, node, rack) -> None:  # type: ignore[no-untyped-def]
    fleet = read_fleet(LINKS.replace("NODE", "1GB/s").replace("RACK", "1GB/s"))
    network = Network(
        node=Link(bandwidth_bytes_per_s=node + 0.01), rack=Link(bandwidth_bytes_per_s=rack + 0.01)
    )
    pools = [replace(fleet.pools[0], name=name, network=network) for name in ("a", "b")]
    loads = link_loads(pools, placed)
    fits = all(load.share <= 1.0 for load in loads)
    assert fits == routable(placed, {"node": node + 0.01, "rack": rack + 0.01})


@settings(max_examples=60, deadline=None)
@given(placed=layouts(), node=st.integers(1, 14))
def test_one_workload_alone_is_a_maximum_flow(placed, node) -> None:  # type: ignore[no-untyped-def]
    mine = [each for each in placed if each.workload == "v"]
    graph: nx.DiGraph = nx.DiGraph()
    for each in mine:
        place = (each.pool, each.node)
        graph.add_edge(place, "zone", capacity=node + 0.01)
        graph.add_edge("zone", place, capacity=node + 0.01)
        ends = ("from", each.name, place) if each.bytes_per_s > 0 else (place, each.name, "to")
        for tail, head in pairwise(ends):
            graph.add_edge(tail, head, capacity=abs(each.bytes_per_s))
    routed = nx.maximum_flow_value(graph, "from", "to") >= 12.0 - 1e-9
    fleet = read_fleet(LINKS.replace("NODE", "1GB/s").replace("RACK", "1GB/s"))
    network = Network(node=Link(bandwidth_bytes_per_s=node + 0.01))
    pools = [replace(fleet.pools[0], name=name, network=network) for name in ("a", "b")]
    assert routed == all(load.share <= 1.0 for load in link_loads(pools, mine))


def test_flows_share_the_demand_and_cancel() -> None:
    fleet = read_fleet(LINKS.replace("NODE", "1GB/s").replace("RACK", "1GB/s"))
    fleet = replace(fleet, policies=replace(fleet.policies, headroom=0.5))

    def of(role: str, capacity: float) -> object:
        return make_candidate(fleet, role=role, capacity_per_s=capacity, workload="read", model="read")

    candidates = [of("prefill", 4.0), of("prefill", 8.0), of("decode", 20.0)]
    tenants = [Tenant(name=f"t{i}", candidate=i, running=None) for i in range(3)]
    flows = kv_flows(fleet, tenants, candidates)  # type: ignore[arg-type]
    # 18/s are asked for with headroom, the prefill side carries 12/s of them
    assert flows["t0"] == pytest.approx(4.0 * cache_bytes(fleet, "read"))
    assert flows["t1"] == pytest.approx(8.0 * cache_bytes(fleet, "read"))
    assert sum(flows.values()) == pytest.approx(0.0, abs=1e-3)


LINKS = """\
fleet: links
pools:
  - {name: a, gpu: h100-sxm-80gb, nodes: 4, gpus_per_node: 8, racks: 2, price_per_gpu_hour: 2,
     network: {node: {bandwidth: NODE}, rack: {bandwidth: RACK}}}
models: [{name: read, architecture: qwen3-32b, weights: fp8, kv_cache: fp8}]
workloads:
  - {model: read, rate: 12/s, slo: {ttft_p95: 3s, tpot_p95: 20ms},
     lengths: {levels: [0, 1], input_tokens: [2000, 12000], output_tokens: [50, 400]}}
"""
