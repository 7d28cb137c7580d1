"""`planner.topology.handover`: what is assumed before placement is never faster than what comes out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.fleet import Fleet
from planner.fleet.network import HANDOVER, Link, Network
from planner.testing import make_fleet
from planner.topology.handover import assumed_handover, between

links = st.builds(Link, bandwidth_bytes_per_s=st.floats(1e8, 1e12), latency_ms=st.floats(0, 1))
networks = st.none() | st.builds(Network, node=links, rack=st.none() | links)


def with_networks(first: Network | None, second: Network | None) -> Fleet:
    fleet = make_fleet()
    a, b = fleet.pools
    return replace(fleet, pools=(replace(a, network=first), replace(b, network=second, zone=a.zone)))


@given(
    first=networks, second=networks, gpus=st.sampled_from([1, 2, 4]), receiving=st.sampled_from([1, 2, 4]),
    to=st.sampled_from([0, 1]), within=st.sampled_from(["node", "rack", "zone"]),
)  # fmt: skip
def test_no_way_is_slower_than_the_one_assumed(first, second, gpus, receiving, to, within) -> None:  # type: ignore[no-untyped-def]
    fleet = with_networks(first, second)
    sender, receiver = fleet.pools[0], fleet.pools[0 if within != "zone" else to]
    assumed = assumed_handover(fleet, sender, gpus)
    real = between(sender, gpus, receiver, receiving, within)
    slower = real.bandwidth_bytes_per_s < assumed.bandwidth_bytes_per_s * (1 - 1e-12)
    # inside a node the GPUs' own links count, which no network is wider than in practice
    assert not slower or (within == "node" and real.bandwidth_bytes_per_s >= 450e9)
    assert real.latency_ms <= assumed.latency_ms + 1e-12


def test_without_networks_it_is_the_default() -> None:
    fleet = with_networks(None, None)
    assert assumed_handover(fleet, fleet.pools[0], 4) == HANDOVER


def test_an_instance_has_its_share_of_the_cards_of_its_node() -> None:
    network = Network(
        node=Link(bandwidth_bytes_per_s=60e9, latency_ms=0.01), rack=Link(bandwidth_bytes_per_s=25e9)
    )
    fleet = with_networks(network, network)
    a, _ = fleet.pools  # six GPUs a node
    assert between(a, 2, a, 4, "rack") == Link(bandwidth_bytes_per_s=pytest.approx(20e9), latency_ms=0.02)
    assert between(a, 4, a, 4, "zone").bandwidth_bytes_per_s == 25e9
