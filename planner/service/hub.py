"""Wakes those who wait for a plan: watchers and WaitOperation.

The store has every event; the hub only saves the waiting. It holds the latest events of the plans made here,
so that many watchers of one plan do not each read the store for the same event.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator

from planner.store.records import EventRecord

__all__ = ["Hub"]

_KEPT = 256


class Hub:
    """Of one server, used from its event loop only."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._recent: dict[str, deque[EventRecord]] = {}

    def publish(self, plan_id: str, event: EventRecord | None = None) -> None:
        """Wake all who wait for this plan: there is a new event, or its row changed."""
        if event is not None:
            self._recent.setdefault(plan_id, deque(maxlen=_KEPT)).append(event)
        for waiting in self._waiting.get(plan_id, ()):
            waiting.set()

    def forget(self, plan_id: str) -> None:
        """Drop the kept events of a plan no longer made here; the store has them."""
        self._recent.pop(plan_id, None)

    def recent(self, plan_id: str, after_sequence: int) -> list[EventRecord] | None:
        """Events above a sequence number, or None when only the store can tell."""
        kept = self._recent.get(plan_id)
        if not kept or kept[0].sequence > after_sequence + 1:
            return None
        return [event for event in kept if event.sequence > after_sequence]

    @contextlib.contextmanager
    def subscribe(self, plan_id: str) -> Iterator[asyncio.Event]:
        """An event that is set at each `publish` of this plan; the waiter clears it."""
        event = asyncio.Event()
        self._waiting.setdefault(plan_id, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[plan_id].discard(event)
            if not self._waiting[plan_id]:
                del self._waiting[plan_id]
