"""The store: what is kept, who owns what, and what nobody can do twice."""

from __future__ import annotations

import threading

import pytest

from planner.store.database import Database
from planner.store.plans import PlanStore, QueueFull, RequestIdReused
from planner.store.records import NewPlan, PlanOptionsRecord, PlanState


def test_what_is_added_is_read_back_by_another_connection(store, url):
    options = PlanOptionsRecord(time_limit_s=2.5, deadline_us=99, seed=7, thread_count=2)
    record, new = store.add(NewPlan(tenant="a", fleet="demo", document="fleet: ünïcode", options=options))

    other = Database(url)
    try:
        assert PlanStore(other).get(record.id) == record
    finally:
        other.close()
    assert new
    assert record.state is PlanState.QUEUED
    assert record.options == options
    assert record.document == "fleet: ünïcode"


def test_a_tenant_sees_only_its_own(store, add):
    mine, theirs = add(tenant="a"), add(tenant="b")

    assert store.get(theirs, tenant="a") is None
    assert [record.id for record in store.page(tenant="a", limit=10)] == [mine]


def test_a_request_id_belongs_to_one_tenant_and_one_request(store, add):
    first = add(request_id="r", request_digest="x")

    assert add(request_id="r", request_digest="x") == first
    assert add(tenant="b", request_id="r", request_digest="y") != first
    with pytest.raises(RequestIdReused):
        add(request_id="r", request_digest="y")


def test_a_claimed_plan_is_claimed_again_only_under_the_lease_that_was_seen(store, add, clock):
    plan_id = add()

    assert store.claim("one", 10).id == plan_id
    seen = store.leases()
    assert [(lease.plan_id, lease.owner) for lease in seen] == [(plan_id, "one")]
    clock.advance(3600)
    assert store.claim("two", 10) is None, "no clock takes a plan from its owner"
    assert store.renew(plan_id, "one", 10) is False
    assert store.claim("two", 10, seen) is None, "renewed since it was seen"
    taken = store.claim("two", 10, store.leases())
    assert (taken.id, taken.attempt_count) == (plan_id, 2)


def test_whoever_lost_the_lease_stores_nothing(store, add):
    plan_id = add()
    store.claim("one", 10)
    store.claim("two", 10, store.leases())

    late = {"state": PlanState.RUNNING, "phase": "sizing", "elapsed_s": 1.0}
    assert store.renew(plan_id, "one", 10) is None
    assert store.add_event(plan_id, "one", **late) is None
    assert not store.finish(plan_id, "one", PlanState.OPTIMAL, result_json="late")
    assert not store.release(plan_id, "one")
    assert store.finish(plan_id, "two", PlanState.OPTIMAL, result_json="right")
    assert not store.finish(plan_id, "two", PlanState.FAILED)
    assert store.add_event(plan_id, "two", **late) is None, "watchers were told that it has ended"
    assert store.get(plan_id).result_json == "right"
    assert store.last_event(plan_id) is None


def test_a_released_plan_waits_again_and_the_attempt_does_not_count(store, add):
    plan_id = add()
    store.claim("one", 10)

    assert store.release(plan_id, "one")

    assert store.get(plan_id).state is PlanState.QUEUED
    assert store.claim("two", 10).attempt_count == 1


def test_tenants_take_turns(store, add, clock):
    for tenant in "aaaabbc":
        add(tenant=tenant)

    order = []
    while (record := store.claim("me", 10)) is not None:
        order.append(record.tenant)
        clock.advance(0.01)
        store.finish(record.id, "me", PlanState.OPTIMAL)

    assert order == list("abcabaa")


def test_a_tenant_with_plans_running_comes_after_one_without(store, add, clock):
    add(tenant="a")
    add(tenant="a")
    add(tenant="b")
    store.claim("me", 10)
    clock.advance(0.01)
    assert store.claim("me", 10).tenant == "b"
    clock.advance(0.01)

    add(tenant="c")

    assert [store.claim("me", 10).tenant for _ in range(2)] == ["c", "a"]


def test_cancelling_ends_what_waits_and_asks_for_what_runs(store, add):
    running, waiting = add(), add()
    store.claim("me", 10)

    assert store.request_cancel(waiting).state is PlanState.CANCELLED
    assert store.request_cancel(running).state is PlanState.RUNNING
    assert store.renew(running, "me", 10) is True
    assert store.claim("me", 10) is None
    assert store.request_cancel("nobody") is None


def test_cancelling_does_not_change_what_is_finished(store, add):
    plan_id = add()
    store.claim("me", 10)
    store.finish(plan_id, "me", PlanState.OPTIMAL, result_json="{}")
    before = store.get(plan_id)

    assert store.request_cancel(plan_id) == before


def test_pages_go_on_where_the_last_ended(store, add):
    ids = [add() for _ in range(5)]

    first = store.page(tenant="a", limit=2)
    second = store.page(tenant="a", limit=9, before=(first[-1].create_us, first[-1].id))

    assert [record.id for record in first + second] == ids[::-1]


def test_pages_of_plans_added_in_one_microsecond_lose_none(store):
    ids = {store.add(NewPlan(tenant="a", fleet="f", document="d"))[0].id for _ in range(5)}

    seen, before = [], None
    while page := store.page(tenant="a", limit=2, before=before):
        seen += [record.id for record in page]
        before = (page[-1].create_us, page[-1].id)

    assert len(seen) == 5
    assert set(seen) == ids


def test_a_plan_that_is_handed_back_while_it_is_cancelled_is_cancelled(store, add):
    plan_id = add()
    store.claim("one", 10)
    cancelling = threading.Thread(target=store.request_cancel, args=(plan_id,))
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE plans SET state = 'queued', lease_owner = NULL")
        cancelling.start()
        cancelling.join(0.3)  # it waits for the plan until this block ends
    cancelling.join(20)
    assert store.get(plan_id).state is PlanState.CANCELLED


def test_events_are_numbered_from_one_and_keep_their_numbers(store, add):
    plan_id, other = add(), add()
    for _ in range(2):
        store.claim("one", 10)
    for i in range(3):
        event = {"phase": f"p{i}", "elapsed_s": i / 3, "objective": 0.1 * i}
        store.add_event(plan_id, "one", state=PlanState.RUNNING, **event)
    store.add_event(other, "one", state=PlanState.RUNNING, phase="x", elapsed_s=0, bound=float("inf"))

    events = store.events(plan_id)

    assert [event.sequence for event in events] == [1, 2, 3]
    assert [event.objective for event in events] == [0.0, 0.1, 0.2]
    assert store.events(plan_id, after_sequence=2) == events[2:]
    assert store.last_event(plan_id) == events[2]
    assert store.last_event(other).bound is None


def test_many_claimers_share_the_plans_without_overlap(url):
    first = PlanStore(Database(url))
    ids = {first.add(NewPlan(tenant=f"t{i % 3}", fleet="f", document="d"))[0].id for i in range(40)}
    claimed: list[str] = []

    def claim(owner: str) -> None:
        store = PlanStore(Database(url))
        while (record := store.claim(owner, 60)) is not None:
            claimed.append(record.id)
        store.database.close()

    threads = [threading.Thread(target=claim, args=(f"o{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first.database.close()

    assert len(claimed) == 40
    assert set(claimed) == ids


def test_a_tenant_may_have_so_many_unfinished_plans(store, add):
    done, _ = add(), add(tenant="b")
    new = NewPlan(tenant="a", fleet="f", document="d")
    with pytest.raises(QueueFull):
        store.add(new, most_waiting=1)

    assert store.claim("me", 10).id == done
    with pytest.raises(QueueFull):
        store.add(new, most_waiting=1)
    store.finish(done, "me", PlanState.OPTIMAL)
    assert store.add(new, most_waiting=1)[1]


def test_one_request_sent_many_times_at_once_is_one_plan(url):
    answers: list[str] = []
    start = threading.Barrier(6)

    def send() -> None:
        store = PlanStore(Database(url))
        start.wait()
        record, _ = store.add(
            NewPlan(tenant="a", fleet="f", document="d", request_id="r", request_digest="x")
        )
        answers.append(record.id)
        store.database.close()

    Database(url).close()  # the tables are there before the race
    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 6
    assert len(set(answers)) == 1
