"""What blocks or costs a placement."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import InvalidInput
from models.graph import AssignmentSpace, Axis, GraphBuilder, Scope
from solvers import solve
from solvers.explain import explain_placement, force_placement


@pytest.fixture
def hosts():
    """Two objects on the first of three hosts of 5; the second holds one of 3, the third is free but far."""
    space = AssignmentSpace(
        Axis("task", 3, ["a", "b", "c"]),
        Axis("host", 3, ["h0", "h1", "h2"]),
        np.array([0, 0, 1], np.int32),
        np.array([True, False, False]),
    )
    b = GraphBuilder(space)
    scope = Scope.identity(space.containers)
    b.constrain(b.affine([(b.usage(scope, [3.0, 2.0, 3.0]), 1.0)], -5.0), spec="Capacity", name="cpu")
    b.minimize(b.total(b.affine([(b.usage(scope, [1.0, 1.0, 1.0]), [0.0, 1.0, 4.0])])), spec="Distance")
    b.minimize(b.moved_amount(), tier=1, spec="Movement")
    return b.build()


def test_blocked_and_costly_places(hosts):
    placements = {p.container: p for p in explain_placement(hosts, hosts.space.initial, 0)}
    assert set(placements) == {-1, 0, 1, 2}
    assert placements[0].costs == ()
    [blocker] = placements[1].blockers
    assert (blocker.spec, blocker.name, blocker.where, blocker.excess) == ("Capacity", "cpu", "h1", 1.0)
    assert placements[2].blockers == ()
    assert [(c.spec, c.amount) for c in placements[2].costs] == [("Distance", 4.0), ("Movement", 1.0)]
    assert placements[2].tiers == (4.0, 1.0)


def test_allowed_places_come_first_and_cheapest_first(hosts):
    order = [p.container for p in explain_placement(hosts, hosts.space.initial, 0)]
    assert order == [0, -1, 2, 1]


def test_forcing_makes_room_and_shows_the_cost(hosts):
    free = solve(hosts)
    forced = force_placement(hosts, 0, 1)
    assert forced.status == "optimal"
    assert forced.assignment[0] == 1
    assert forced.tiers[0].value > free.tiers[0].value
    assert force_placement(hosts, 0, -1).assignment[0] == -1


def test_impossible_wish_is_infeasible(hosts):
    assert force_placement(hosts, 1, -1).status == "infeasible"


def test_unknown_object_is_refused(hosts):
    with pytest.raises(InvalidInput, match="no object 3"):
        explain_placement(hosts, hosts.space.initial, 3)
    with pytest.raises(InvalidInput, match="no container 3"):
        force_placement(hosts, 0, 3)
