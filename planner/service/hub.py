"""Wakes those who wait for a plan: watchers and WaitOperation.

The store has every event; the hub only saves the waiting. It holds the latest events of the plans made here,
so that many watchers of one plan do not each read the store for the same event.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from planner.store.records import EventRecord

__all__ = ["Hub", "Subscription"]

_KEPT = 256


@dataclass(slots=True)
class Subscription:
    """One waiter for one plan.

    `row_changed` is set when more than progress happened, so that a watcher need not read the row for every
    event; the waiter clears it.
    """

    row_changed: bool = False
    _signal: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for something to happen; False when nothing did."""
        try:
            await asyncio.wait_for(self._signal.wait(), timeout_s)
        except TimeoutError:
            return False
        self._signal.clear()
        return True

    def wake(self, *, row_changed: bool) -> None:
        """Something happened."""
        self.row_changed |= row_changed
        self._signal.set()


class Hub:
    """Of one server, used from its event loop only."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Subscription]] = {}
        self._recent: dict[str, deque[EventRecord]] = {}

    def publish(self, plan_id: str, event: EventRecord | None = None) -> None:
        """Wake all who wait for this plan: there is a new event, or its row changed."""
        if event is not None:
            self._recent.setdefault(plan_id, deque(maxlen=_KEPT)).append(event)
        for waiting in self._waiting.get(plan_id, ()):
            waiting.wake(row_changed=event is None)

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
    def subscribe(self, plan_id: str) -> Iterator[Subscription]:
        """A subscription that each `publish` of this plan wakes."""
        subscription = Subscription()
        self._waiting.setdefault(plan_id, []).append(subscription)
        try:
            yield subscription
        finally:
            waiting = self._waiting[plan_id]
            self._waiting[plan_id] = [other for other in waiting if other is not subscription]
            if not self._waiting[plan_id]:
                del self._waiting[plan_id]
