"""Rollouts of a server: what promotions prepare, what those who follow them see."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from planner.plan import Plan
from planner.plan.transition import Step
from planner.rollout import Progress, Seat, build_rollout
from planner.rollout.build import standing_seats
from planner.rollout.progress import step_nodes
from planner.service.async_store import AsyncStore
from planner.service.hub import Hub
from planner.store.engines import EngineStore
from planner.store.fleets import FleetStore
from planner.store.records import EngineRecord, NewRollout, RolloutRecord
from planner.store.rollouts import RolloutStore

__all__ = ["RolloutView", "Rollouts"]

P = ParamSpec("P")
T = TypeVar("T")
_KEPT_VIEWS = 256
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A rollout and the engines of its fleet at one moment, for all who follow it."""

    record: RolloutRecord
    progress: Progress
    engines: tuple[EngineRecord, ...]
    seats: dict[str, list[Seat]]
    """By node."""
    to_do: dict[str, list[Step]]
    """Steps that may be begun or have not ended, by node."""

    @property
    def version(self) -> tuple[int, int]:
        """Grows whenever the view would be another."""
        return self.record.generation, self.record.sequence


class Rollouts:
    """Of one server, used from its event loop only; the stores are asked in threads.

    Parameters
    ----------
    poll_s
        How often the store is asked for what other servers did to rollouts that are followed here.
    """

    def __init__(self, store: AsyncStore, *, poll_s: float = 1.0, pause_s: float = 0.05) -> None:
        database = store.store.database
        self._async_store = store
        self.store = RolloutStore(database)
        self.engine_store = EngineStore(database)
        self._fleets = FleetStore(database)
        self._hub = Hub()
        self._poll_s = poll_s
        self._pause_s = pause_s
        self._views: OrderedDict[_Key, RolloutView] = OrderedDict()
        self._reading: dict[_Key, asyncio.Lock] = {}
        self._followed: dict[_Key, int] = {}
        self._versions: dict[_Key, tuple[int, int]] = {}
        self._poller: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for what other servers do."""
        self._poller = asyncio.create_task(self._poll_forever(), name="rollouts")

    async def close(self) -> None:
        """End that."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)

    async def read(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of one of the stores that only reads."""
        return await self._async_store.read(lambda _: method(*args, **kwargs))

    async def write(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a method of one of the stores that writes."""
        return await self._async_store.write(lambda _: method(*args, **kwargs))

    def changed(self, tenant: str, fleet: str) -> None:
        """Wake those who follow the rollout of a fleet."""
        self._hub.publish(_hub_key((tenant, fleet)))

    async def view(self, tenant: str, fleet: str, generation: int | None = None) -> RolloutView | None:
        """The last rollout of a fleet, read once for all who ask at the same time; or an earlier one."""
        if generation is not None:
            return await self.read(self._read_view, tenant, fleet, generation)
        key = (tenant, fleet)
        lock = self._reading.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                version = (await self.read(self.store.versions, [key])).get(key)
                if version is None:
                    return None
                kept = self._views.get(key)
                if kept is None or kept.version != version:
                    kept = await self.read(self._read_view, tenant, fleet)
                    if kept is None:
                        return None
                    self._views[key] = kept
                    while len(self._views) > _KEPT_VIEWS:
                        self._views.popitem(last=False)
                return kept
        finally:
            if not lock.locked():
                self._reading.pop(key, None)

    async def follow(
        self, tenant: str, fleet: str, heartbeat_s: float
    ) -> AsyncGenerator[RolloutView | None, None]:
        """The view now and after each change; None, too, when it was silent for so long, or there is none."""
        key = (tenant, fleet)
        self._followed[key] = self._followed.get(key, 0) + 1
        try:
            with self._hub.subscribe(_hub_key(key)) as changed:
                last: tuple[int, int] | None = None
                while True:
                    view = await self.view(tenant, fleet)
                    if view is None or view.version != last:
                        last = None if view is None else view.version
                        yield view
                        await asyncio.sleep(self._pause_s)  # what comes quickly is sent as one
                    if not await changed.wait(heartbeat_s):
                        last = None
        finally:
            self._followed[key] -= 1
            if not self._followed[key]:
                del self._followed[key]
                self._versions.pop(key, None)

    async def prepare(self, tenant: str, fleet: str, plan_id: str) -> NewRollout | None:
        """The rollout that promoting a plan would begin now; None for a plan that cannot be promoted."""
        return await self.read(self._prepare, tenant, fleet, plan_id)

    def _prepare(self, tenant: str, fleet: str, plan_id: str) -> NewRollout | None:
        record = self._async_store.store.get(plan_id, tenant=tenant)
        if record is None or record.fleet != fleet or record.result_json is None:
            return None
        # in this order: whatever happens in between makes the promotion be refused, and prepared again
        last = self._fleets.history(tenant, fleet, limit=1)
        found = self.store.get(tenant, fleet)
        base = None if record.current_json is None else Plan.from_json(record.current_json)
        body = build_rollout(
            1 + (last[0].sequence if last else 0),
            Plan.from_json(record.result_json),
            base=base,
            standing=standing_seats(None if found is None else found[1]),
        )
        return NewRollout(
            generation=body.generation, body_json=body.to_json(), step_count=len(body.steps),
            previous_sequence=None if found is None else found[0].sequence,
        )  # fmt: skip

    def _read_view(self, tenant: str, fleet: str, generation: int | None = None) -> RolloutView | None:
        found = self.store.get(tenant, fleet, generation)
        if found is None:
            return None
        record, progress = found
        seats: dict[str, list[Seat]] = {}
        for seat in progress.body.seats:
            for node in seat.nodes:
                seats.setdefault(node, []).append(seat)
        to_do: dict[str, list[Step]] = {}
        for step, state in zip(progress.body.steps, progress.states, strict=True):
            if state in ("open", "started"):
                for node in step_nodes(step):
                    if not progress.ended(step.index, node):
                        to_do.setdefault(node, []).append(step)
        return RolloutView(record, progress, tuple(self.engine_store.all(tenant, fleet)), seats, to_do)

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            followed: Collection[_Key] = tuple(self._followed)
            if not followed:
                continue
            try:
                versions = await self.read(self.store.versions, followed)
            except Exception:  # noqa: BLE001, S112 - the store is away; those who follow are told by their own calls
                continue
            for key, version in versions.items():
                if self._versions.get(key) != version:
                    self._versions[key] = version
                    self.changed(*key)


def _hub_key(key: _Key) -> str:
    return "/".join(key)
