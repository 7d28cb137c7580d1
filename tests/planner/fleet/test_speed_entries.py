"""`planner.fleet.speed_entries`: how fast what runs can change, as the document states it."""

from __future__ import annotations

import pytest

from models.document import InvalidDocument
from planner.fleet import read_fleet
from planner.fleet.speeds import Speeds
from planner.testing import SMALL_FLEET


def with_sources(sources: str) -> str:
    return SMALL_FLEET.replace("zone: z0,", f"zone: z0, weights_from: {sources},")


def test_sources_are_sorted_and_hold_what_they_name() -> None:
    fleet = read_fleet(
        with_sources(
            "[{tier: network, bandwidth: 10Gbit/s}, {tier: memory, bandwidth: 40GB/s, models: [chat]}]"
        )
    )
    memory, network = fleet.pool("a").weights_from
    assert (memory.tier, memory.bandwidth_bytes_per_s) == ("memory", 40e9)
    assert memory.holds("chat")
    assert not memory.holds("code")
    assert network.bandwidth_bytes_per_s == pytest.approx(1.25e9)
    assert fleet.pool("b").weights_from == ()


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ("[{tier: disk, bandwidth: 5GB/s, models: [chta]}]", "did you mean 'chat'"),
        ("[{tier: disk, bandwidth: 5GB/s, models: [chat]}]", "no tier holds the weights of code"),
        ("[{tier: d, bandwidth: 5GB/s}, {tier: d, bandwidth: 6GB/s}]", "a second tier named 'd'"),
        ("[{tier: disk, bandwidth: 5GB}]", "needs one of the units"),
        ("[{tier: disk, bandwith: 5GB/s}]", "bandwidth"),
    ],
)
def test_mistakes_in_sources_are_located(sources: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=r"line 3") as caught:
        read_fleet(with_sources(sources))
    assert said in str(caught.value)


def test_times_of_a_transition_are_read_and_have_defaults() -> None:
    assert read_fleet(SMALL_FLEET).policies.speeds == Speeds()
    stated = "{start: 90s, switch: 2s, requests: drain, longest_answer_percentile: 95, in_flight: 3}"
    text = SMALL_FLEET.replace("headroom: 10%", f"headroom: 10%, transition: {stated}")
    assert read_fleet(text).policies.speeds == Speeds(
        start_s=90.0, switch_s=2.0, migrate_bytes_per_s=None, longest_answer_percentile=95.0, in_flight=3
    )
