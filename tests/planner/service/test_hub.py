from __future__ import annotations

import asyncio

from planner.service.hub import Hub
from planner.store.records import EventRecord, PlanState


def event(sequence):
    return EventRecord(
        plan_id="p", sequence=sequence, create_us=0, state=PlanState.RUNNING, phase="x", elapsed_s=0.0,
        objective=None, bound=None, gap=None,
    )  # fmt: skip


def test_recent_events_are_those_after_the_last_seen():
    hub = Hub()
    for sequence in (1, 2, 3):
        hub.publish("p", event(sequence))

    assert [e.sequence for e in hub.recent("p", 0)] == [1, 2, 3]
    assert [e.sequence for e in hub.recent("p", 2)] == [3]
    assert hub.recent("p", 3) == []
    assert hub.recent("other", 0) is None


def test_what_was_dropped_must_be_read_from_the_store():
    hub = Hub()
    for sequence in range(1, 400):
        hub.publish("p", event(sequence))

    assert hub.recent("p", 0) is None
    assert [e.sequence for e in hub.recent("p", 390)] == list(range(391, 400))
    hub.forget("p")
    assert hub.recent("p", 390) is None


def test_a_waiter_learns_whether_the_row_changed():
    async def main():
        hub = Hub()
        with hub.subscribe("p") as one, hub.subscribe("p") as two:
            hub.publish("p", event(1))
            assert await one.wait(1)
            assert not one.row_changed
            hub.publish("p")
            assert await one.wait(1)
            assert one.row_changed
            assert two.row_changed
            assert not await one.wait(0.01)
        assert not hub._waiting

    asyncio.run(main())
