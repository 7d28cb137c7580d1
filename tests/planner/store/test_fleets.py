"""Fleets, promotions and leases on every kind of database."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from planner.store.fleets import FleetChanged, FleetStore, Leased, NoSuchFleet, NotPromotable
from planner.store.lease_ends import LONGEST_LEASE_S, LeaseEnds
from planner.store.plans import PlanStore
from planner.store.records import PlanState


@pytest.fixture
def fleets(store: PlanStore, clock) -> FleetStore:
    return FleetStore(store.database, clock, lambda: clock.monotonic_s)


@pytest.fixture
def made(store: PlanStore, add: Callable[..., str]) -> Callable[..., str]:
    """Add a finished plan and return its id."""

    def make(state: PlanState = PlanState.OPTIMAL, **fields: str) -> str:
        plan_id = add(**fields)
        assert store.claim("me", 60) is not None
        store.finish(plan_id, "me", state, result_json=None if state is PlanState.FAILED else "{}")
        return plan_id

    return make


def test_registering_again_changes_the_document_and_nothing_else(fleets: FleetStore) -> None:
    first = fleets.register("a", "demo", "one")
    assert (first.revision, first.promoted_plan_id) == (1, None)
    assert fleets.register("a", "demo", "one").revision == 1
    assert fleets.register("a", "demo", "two").revision == 2
    with pytest.raises(FleetChanged):
        fleets.register("a", "demo", "three", revision=1)
    assert fleets.register("a", "demo", "three", revision=2).document == "three"
    with pytest.raises(NoSuchFleet):
        fleets.register("a", "other", "x", must_exist=True)


def test_tenants_do_not_see_each_other(fleets: FleetStore, made: Callable[..., str]) -> None:
    fleets.register("a", "demo", "one")
    assert fleets.get("b", "demo") is None
    assert fleets.page("b", limit=10) == []
    theirs = made(tenant="b")
    with pytest.raises(NotPromotable, match="does not exist"):
        fleets.promote("a", "demo", theirs, caller="me")
    with pytest.raises(NoSuchFleet):
        fleets.promote("b", "demo", theirs, caller="me")


def test_promote_and_roll_back_walk_the_history(fleets: FleetStore, made: Callable[..., str]) -> None:
    fleets.register("a", "demo", "one")
    plans = [made() for _ in range(3)]
    for plan in plans:
        fleets.promote("a", "demo", plan, caller="me", reason="because")
    assert fleets.roll_back("a", "demo", caller="me").promoted_plan_id == plans[1]
    assert fleets.roll_back("a", "demo", caller="me").promoted_plan_id == plans[0]
    with pytest.raises(NotPromotable, match="nothing was promoted before"):
        fleets.roll_back("a", "demo", caller="me")
    history = fleets.history("a", "demo", limit=10)
    assert [entry.sequence for entry in history] == [5, 4, 3, 2, 1]
    assert [entry.kind for entry in history] == ["roll_back"] * 2 + ["promote"] * 3
    assert [entry.plan_id for entry in history] == [plans[0], plans[1], plans[2], plans[1], plans[0]]
    assert history[-1].previous_plan_id is None
    assert [entry.sequence for entry in fleets.history("a", "demo", limit=2, before=4)] == [3, 2]


def test_a_retry_promotes_once(fleets: FleetStore, made: Callable[..., str]) -> None:
    fleets.register("a", "demo", "one")
    one, two = made(), made()
    first = fleets.promote("a", "demo", one, caller="me", request_id="r1")
    fleets.promote("a", "demo", two, caller="me")
    again = fleets.promote("a", "demo", one, caller="me", request_id="r1")
    assert (first.promoted_plan_id, again.promoted_plan_id) == (one, two)
    assert len(fleets.history("a", "demo", limit=10)) == 2


@pytest.mark.parametrize("state", [PlanState.INFEASIBLE, PlanState.FAILED, PlanState.UNKNOWN])
def test_what_has_no_instances_is_not_promoted(
    state: PlanState, fleets: FleetStore, made: Callable[..., str]
) -> None:
    fleets.register("a", "demo", "one")
    with pytest.raises(NotPromotable, match=f"it is {state}"):
        fleets.promote("a", "demo", made(state), caller="me")
    with pytest.raises(NotPromotable, match="a plan of the fleet 'else'"):
        fleets.promote("a", "demo", made(fleet="else"), caller="me")


def test_a_lease_keeps_others_out_until_it_expires(
    fleets: FleetStore, made: Callable[..., str], clock
) -> None:
    fleets.register("a", "demo", "one")
    plan = made()
    assert fleets.acquire("a", "demo", "job-1", 10).lease_holder == "job-1"
    with pytest.raises(Leased):
        fleets.acquire("a", "demo", "job-2", 10)
    with pytest.raises(Leased):
        fleets.promote("a", "demo", plan, caller="me")
    clock.advance(8)
    fleets.acquire("a", "demo", "job-1", 10)  # prolonged
    clock.advance(8)
    with pytest.raises(Leased):
        fleets.acquire("a", "demo", "job-2", 10)
    assert fleets.promote("a", "demo", plan, caller="me", holder="job-1").promoted_plan_id == plan
    fleets.release("a", "demo", "job-2")  # not theirs
    clock.advance(3)
    found = fleets.get("a", "demo")
    assert found is not None
    assert found.lease_holder is None
    assert fleets.acquire("a", "demo", "job-2", 10).lease_holder == "job-2"
    assert fleets.release("a", "demo", "job-2").lease_holder is None


@pytest.mark.parametrize("jump_s", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_changes_no_lease_that_was_seen(fleets: FleetStore, clock, jump_s) -> None:
    fleets.register("a", "demo", "one")
    fleets.acquire("a", "demo", "dead", 10)
    clock.now_us += round(jump_s * 1e6)
    clock.advance(9)
    with pytest.raises(Leased):
        fleets.acquire("a", "demo", "next", 10)
    clock.advance(2)
    assert fleets.acquire("a", "demo", "next", 10).lease_holder == "next"


def test_a_server_that_comes_after_a_jump_waits_no_longer_than_any_lease_lasts(
    fleets: FleetStore, store: PlanStore, clock
) -> None:
    fleets.register("a", "demo", "one")
    fleets.acquire("a", "demo", "dead", 10)
    clock.now_us -= 86_400_000_000
    store.database.lease_ends = LeaseEnds()  # as in a server started now
    with pytest.raises(Leased):
        fleets.acquire("a", "demo", "next", 10)
    clock.advance(LONGEST_LEASE_S + 1)
    assert fleets.acquire("a", "demo", "next", 10).lease_holder == "next"


def test_of_two_at_once_one_gets_the_lease(fleets: FleetStore) -> None:
    fleets.register("a", "demo", "one")
    got, refused = [], []

    def try_it(holder: str) -> None:
        try:
            got.append(fleets.acquire("a", "demo", holder, 60))
        except Leased:
            refused.append(holder)

    threads = [threading.Thread(target=try_it, args=(f"job-{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 7)


def test_promotions_at_once_are_numbered_one_after_the_other(
    fleets: FleetStore, made: Callable[..., str]
) -> None:
    fleets.register("a", "demo", "one")
    plans = [made() for _ in range(6)]
    threads = [
        threading.Thread(target=fleets.promote, args=("a", "demo", plan), kwargs={"caller": "me"})
        for plan in plans
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = fleets.history("a", "demo", limit=10)
    assert [entry.sequence for entry in history] == [6, 5, 4, 3, 2, 1]
    assert [entry.previous_plan_id for entry in history[:-1]] == [entry.plan_id for entry in history[1:]]
