"""Progress of one plan as server-sent events (the ``text/event-stream`` of the HTML standard).

``progress`` events carry ``{"state", "phase", "elapsed_s", "objective", "bound", "gap"}`` with the sequence
number of the store as their id, so that a browser that lost the connection goes on where it was. A ``done``
event ends the stream.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from planner.service.async_store import AsyncStore
from planner.service.hub import Hub
from planner.store.plans import PlanStore
from planner.store.records import EventRecord

__all__ = ["stream"]

POLL_S = 2.0
"""How often the store is asked for what another server did."""
BEAT_S = 10.0
"""Longest silence: a comment tells proxies that the stream is alive."""


async def stream(
    store: AsyncStore, hub: Hub, plan_id: str, tenant: str, after_sequence: int
) -> AsyncIterator[str]:
    """Give every event above a sequence number as text, in order, then ``done`` once the plan is finished."""
    sequence = after_sequence
    loop = asyncio.get_running_loop()
    last_sent = loop.time()
    with hub.subscribe(plan_id) as changed:
        while True:
            # The row before its events: what is terminal in the row has all its events stored.
            record = await store.read(PlanStore.get, plan_id, tenant=tenant)
            if record is None:
                return
            while found := await store.read(PlanStore.events, plan_id, after_sequence=sequence):
                for event in found:
                    yield _event(event)
                sequence, last_sent = found[-1].sequence, loop.time()
            if record.state.terminal:
                yield f"event: done\ndata: {json.dumps({'state': record.state.value})}\n\n"
                return
            await changed.wait(POLL_S)
            if loop.time() - last_sent >= BEAT_S:
                yield ": still here\n\n"
                last_sent = loop.time()


def _event(event: EventRecord) -> str:
    data = {
        "state": event.state.value, "phase": event.phase, "elapsed_s": round(event.elapsed_s, 3),
        "objective": event.objective, "bound": event.bound, "gap": event.gap,
    }  # fmt: skip
    return f"id: {event.sequence}\nevent: progress\ndata: {json.dumps(data)}\n\n"
