"""`planner.loads`: rates of mixed and paired instances, and what is left after a loss."""

from __future__ import annotations

import pytest

from planner.loads import Placed, served_rate, surviving_rate, unit_of
from planner.plan import Stage
from planner.plan.instance import Role


def placed(role: Role, rate: float, *nodes: str, zone: str = "z") -> Placed:
    return Placed(
        role=role, zone=zone, capacity_per_s=rate, stages=tuple(Stage(node, (0,)) for node in nodes)
    )


def test_mixed_instances_add_up_and_pairs_are_as_good_as_their_weaker_side() -> None:
    assert served_rate([placed("mixed", 2, "n"), placed("mixed", 3, "n")]) == 5
    assert served_rate([placed("prefill", 2, "n"), placed("decode", 3, "n")]) == 2
    assert served_rate([placed("prefill", 2, "n")]) == 0
    both = [placed("prefill", 2, "n", zone="x"), placed("decode", 3, "n", zone="y")]
    assert served_rate(both) == 0  # prefill and decode of unlike zones do not meet
    assert served_rate([]) == 0.0


@pytest.mark.parametrize(("loss_of", "left"), [(None, 9), ("node", 5), ("rack", 4)])
def test_the_worst_loss_counts(loss_of: str | None, left: float) -> None:
    instances = [placed("mixed", 4, "p/r0/n0"), placed("mixed", 1, "p/r0/n1"), placed("mixed", 4, "p/r1/n2")]
    assert surviving_rate(instances, loss_of) == left


def test_an_instance_over_two_nodes_dies_with_either() -> None:
    instances = [placed("mixed", 4, "p/r0/n0", "p/r0/n1"), placed("mixed", 3, "p/r0/n2")]
    assert surviving_rate(instances, "node") == 3


def test_a_loss_may_hit_both_sides_of_a_pair() -> None:
    instances = [
        placed("prefill", 2, "p/r0/n0"), placed("decode", 2, "p/r0/n0"),
        placed("prefill", 2, "p/r0/n1"), placed("decode", 2, "p/r0/n2"),
    ]  # fmt: skip
    assert surviving_rate(instances, "node") == 2
    assert surviving_rate([], "node") == 0.0


def test_unit_of() -> None:
    assert unit_of("p/r0/n1", "node") == "p/r0/n1"
    assert unit_of("p/r0/n1", "rack") == "p/r0"


def test_a_lost_zone_takes_every_pool_in_it() -> None:
    instances = [
        placed("mixed", 4, "p/r0/n0", zone="x"),
        placed("mixed", 1, "q/r0/n0", zone="x"),
        placed("mixed", 3, "s/r0/n0"),
    ]
    assert surviving_rate(instances, "zone") == 3


def test_of_losses_that_take_the_same_one_stands_for_all() -> None:
    pair = [placed("mixed", 2, f"p/r0/n{n}") for n in range(4)] + [placed("mixed", 3, "p/r0/n4")]
    assert surviving_rate(pair, "node") == 8
    assert surviving_rate([*pair, placed("mixed", 2, "p/r0/n0")], "node") == 9
