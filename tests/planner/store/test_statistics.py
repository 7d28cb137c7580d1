"""Counts over all tenants, and what counts as waiting."""

from __future__ import annotations

from planner.store.plans import PlanStore
from planner.store.records import PlanState
from planner.store.statistics import statistics


def test_an_empty_store_has_nothing_and_nobody_waits(store) -> None:
    found = statistics(store)
    assert (found.count_by_state, found.waiting_count, found.oldest_waiting_s) == ({}, 0, 0.0)


def test_what_an_owner_that_died_left_behind_waits_again(store, clock, add) -> None:
    add(tenant="a")
    add(tenant="b")
    finished = store.claim("me", 10.0)
    store.finish(finished.id, "me", PlanState.OPTIMAL)
    taken = store.claim("me", 10.0)
    add(tenant="c")
    found = statistics(store)
    assert found.count_by_state == {PlanState.OPTIMAL: 1, PlanState.RUNNING: 1, PlanState.QUEUED: 1}
    assert (found.waiting_count, found.oldest_waiting_s) == (1, 0.0)
    clock.advance(11.0)
    found = statistics(store)
    assert found.waiting_count == 2
    assert found.oldest_waiting_s == (clock() - taken.create_us) / 1e6 > 11.0


def test_a_clock_that_goes_back_gives_no_negative_age(store: PlanStore, clock, add) -> None:
    add()
    clock.advance(-0.5)
    assert statistics(store).oldest_waiting_s == 0.0
