"""`planner.fleet.limits`: specs inside the fleet document are read, checked and located."""

from __future__ import annotations

import json

import pytest

from models.document import InvalidDocument
from planner.fleet import Fleet, read_fleet
from planner.testing import SMALL_FLEET
from specs import Capacity, ExclusiveGroups

POLICIES = "policies: {headroom: 10%}"


def with_limits(*entries: str) -> str:
    return SMALL_FLEET.replace(
        POLICIES, "policies:\n  assignment:\n" + "".join(f"    - {e}\n" for e in entries)
    )


def mistakes(*entries: str) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read_fleet(with_limits(*entries), source="f.yaml")
    assert all(violation.line == 18 + entries.index(entries[-1]) for violation in caught.value.violations)
    return [violation.message for violation in caught.value.violations]


def test_limits_are_read_with_names_and_pools() -> None:
    fleet: Fleet = read_fleet(
        with_limits(
            "{name: feed, capacity: {scope: rack, dimension: power_watts, limit: 9800}, pools: [a]}",
            "exclusive_groups: {scope: node, partition: tenant, pairs: [[chat, code]]}",
        )
    )
    feed, apart = fleet.policies.placement_limits
    assert (feed.name, feed.pools) == ("feed", ("a",))
    assert feed.spec == Capacity(scope="rack", dimension="power_watts", limit=9800.0)
    assert isinstance(apart.spec, ExclusiveGroups)
    assert (apart.name, apart.pools) == ("exclusive_groups 1", ("a", "b"))
    assert read_fleet(fleet.self_contained).policies == fleet.policies
    assert "assignment" in json.loads(fleet.self_contained)["policies"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("capacity: {scope: rock, dimension: gpus}", "unknown scope 'rock'"),
        ("capacity: {scope: rack, dimension: power_wats, limit: 1}", "unknown dimension 'power_wats'"),
        ("capasity: {scope: rack, dimension: gpus}", "unknown spec 'capasity'"),
        ("group_count: {scope: node, partition: tenant, group_limits: {chatt: 1}}", "'chatt'"),
        ("exclusive_groups: {scope: node, partition: colour}", "unknown partition 'colour'"),
        ("{capacity: {scope: node, dimension: gpus}, pools: [c]}", "unknown pool 'c'"),
        ("balance: {scope: rack, dimension: gpus}", "states a goal, not a limit"),
        ("capacity: {scope: rack, dimension: power_watts}", "capacity"),
        ("7", "expected one spec"),
    ],
)
def test_mistakes_have_their_line(entry: str, said: str) -> None:
    (found,) = mistakes(entry)
    assert said in found


def test_the_mistake_of_the_second_entry_is_on_its_line() -> None:
    (found,) = mistakes("capacity: {scope: node, dimension: gpus}", "capacity: {scope: row, dimension: gpus}")
    assert "unknown scope 'row'" in found
