"""Takes plans from the store, has them made, stores what comes out.

The store is the queue. A plan is claimed by lease, so several servers may share a store, and one that is
killed loses its plans to the next that sees their leases no longer renewed: they are made again from the
start, at most `max_attempts` times in all.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Mapping

from planner.service.async_store import AsyncStore
from planner.service.backend import Outcome, ProgressEvent, Work
from planner.service.errors import StatusError, StoreUnavailable, failure, status_of
from planner.service.executor import Executor
from planner.service.hub import Hub
from planner.service.lease_watch import LeaseWatch
from planner.service.metrics import Metrics
from planner.service.own_profiles import OwnProfiles
from planner.service.protos import code_pb2
from planner.service.tracing import NO_TRACING, PlanTrace, Tracing
from planner.store.plans import PlanStore, wall_clock_us
from planner.store.records import PlanRecord, PlanState

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)


class Dispatcher:
    """Of one server.

    Parameters
    ----------
    lease_s
        How long a claimed plan stays ours without a sign of life; renewed every third of it.
    poll_s
        How often the store is asked for plans that others added or left behind.
    max_attempts
        How often a plan is begun before it is given up: whoever works on it may be what keeps dying.
    default_time_limit_s
        For plans that state none.
    metrics
        Told of every plan that ended here.
    tracing
        Has spans for each.
    """

    def __init__(
        self,
        store: AsyncStore,
        executor: Executor,
        hub: Hub,
        profiles: OwnProfiles,
        *,
        lease_s: float = 10.0,
        poll_s: float = 1.0,
        max_attempts: int = 5,
        default_time_limit_s: float | None = None,
        metrics: Metrics | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        self._store = store
        self._executor = executor
        self._hub = hub
        self._profiles = profiles
        self._owner = secrets.token_hex(16)
        self._lease_s = lease_s
        self._watch = LeaseWatch(lease_s)
        self._poll_s = poll_s
        self._max_attempts = max_attempts
        self._default_time_limit_s = default_time_limit_s
        self._metrics = metrics or Metrics()
        self._tracing = tracing
        self._wake = asyncio.Event()
        self._slots = asyncio.Semaphore(executor.slot_count)
        self._running: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._loop: asyncio.Task[None] | None = None

    @property
    def running_count(self) -> int:
        """Number of plans being made here."""
        return len(self._running)

    def start(self) -> None:
        """Begin to take plans."""
        self._loop = asyncio.create_task(self._claim_forever(), name="dispatcher")

    def wake(self) -> None:
        """Look for plans now."""
        self._wake.set()

    def cancel(self, plan_id: str) -> None:
        """Stop making a plan soon, if it is being made here; the store already says so."""
        if plan_id in self._running:
            self._running[plan_id][1].set()

    async def close(self, grace_s: float) -> None:
        """Take no more; finish within `grace_s` what is running, and hand back the rest unmade."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        tasks = {task for task, _ in self._running.values()}
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _claim_forever(self) -> None:
        while True:
            await self._slots.acquire()
            try:
                record = await self._next()
            except BaseException:
                self._slots.release()
                raise
            cancelled = asyncio.Event()
            task = asyncio.create_task(self._make(record, cancelled), name=f"plan {record.id}")
            self._running[record.id] = (task, cancelled)
            task.add_done_callback(lambda _, plan_id=record.id: self._made(plan_id))  # type: ignore[misc]

    def _made(self, plan_id: str) -> None:
        del self._running[plan_id]
        self._hub.forget(plan_id)
        self._slots.release()

    async def _next(self) -> PlanRecord:
        """Wait for a plan to make, and claim it."""
        while True:
            self._wake.clear()
            claiming = asyncio.ensure_future(self._claim())
            try:
                record = await asyncio.shield(claiming)
            except asyncio.CancelledError:
                if (unwanted := await claiming) is not None:
                    await self._store.write(PlanStore.release, unwanted.id, self._owner)
                raise
            except Exception:
                log.exception("the store cannot be asked for plans; trying again")
                record = None
            if record is not None:
                return record
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._poll_s)

    async def _claim(self) -> PlanRecord | None:
        leases = await self._store.read(PlanStore.leases)
        # one of our own that nothing here works at is left over from a failure, and nobody renews it
        others = [
            lease for lease in leases if lease.owner != self._owner or lease.plan_id not in self._running
        ]
        lost = self._watch.look(others, time.monotonic())
        return await self._store.write(PlanStore.claim, self._owner, self._lease_s, lost)

    async def _make(self, record: PlanRecord, cancelled: asyncio.Event) -> None:
        log.info("plan %s: attempt %d", record.id, record.attempt_count)
        if record.cancel_requested:
            cancelled.set()
        renewing = asyncio.create_task(self._keep_lease(record.id, cancelled))
        trace, ended = self._tracing.plan(record), "released"
        try:
            start_s = time.monotonic()
            state, outcome, error = await self._outcome(record, cancelled, trace)
            ended = state.value
            seconds = time.monotonic() - start_s
            gap, result_json = (None, None) if outcome is None else (outcome.gap, outcome.plan_json)
            self._metrics.solve_ended("plan", state.value, seconds, gap)
            await self._finish(record, state, result_json, error)
        except asyncio.CancelledError:
            # Shutting down: another server, or this one after its restart, makes the plan.
            await asyncio.shield(self._store.write(PlanStore.release, record.id, self._owner))
            raise
        except Exception:
            log.exception("plan %s: left to the next attempt", record.id)
        finally:
            trace.end(ended)
            renewing.cancel()
            self._hub.publish(record.id)

    async def _outcome(
        self, record: PlanRecord, cancelled: asyncio.Event, trace: PlanTrace
    ) -> tuple[PlanState, Outcome | None, bytes | None]:
        try:
            if record.attempt_count > self._max_attempts:
                raise failure(
                    code_pb2.INTERNAL,
                    "TOO_MANY_ATTEMPTS",
                    f"{record.attempt_count - 1} servers stopped while they made this plan; not tried again",
                )
            while True:
                time_limit_s = self._time_limit_s(record)
                if cancelled.is_set() or (time_limit_s is not None and time_limit_s <= 0):
                    return PlanState.CANCELLED, None, None
                try:
                    outcome = await self._run(record, time_limit_s, cancelled, trace)
                except StoreUnavailable:  # before anything was made: a store that comes back is no failure
                    log.warning(
                        "plan %s: its profiles cannot be read from the store; trying again", record.id
                    )
                    await asyncio.sleep(self._poll_s)
                else:
                    return PlanState(outcome.state), outcome, None
        except StatusError as error:
            log.warning("plan %s failed: %s", record.id, error)
            return PlanState.FAILED, None, error.status.SerializeToString()
        except Exception as error:
            log.exception("plan %s failed", record.id)
            return PlanState.FAILED, None, status_of(error).SerializeToString()

    async def _run(
        self, record: PlanRecord, time_limit_s: float | None, cancelled: asyncio.Event, trace: PlanTrace
    ) -> Outcome:
        """Have the plan made, with its profiles; every progress event is stored when this returns."""
        rests_on = await self._profiles.of_plan(record.id)
        async with self._profiles.folders(record.tenant, rests_on) as folders:
            return await self._run_with(record, folders, time_limit_s, cancelled, trace)

    async def _run_with(
        self, record: PlanRecord, folders: Mapping[str, str], time_limit_s: float | None,
        cancelled: asyncio.Event, trace: PlanTrace,
    ) -> Outcome:  # fmt: skip
        events: asyncio.Queue[ProgressEvent | None] = asyncio.Queue()
        storing = asyncio.create_task(self._store_events(record.id, events))
        work = Work(
            document=record.document,
            current_json=record.current_json,
            time_limit_s=time_limit_s,
            seed=record.options.seed,
            thread_count=record.options.thread_count,
            skip_verification=record.options.skip_verification,
            profiles=folders,
            confidence=record.options.confidence,
        )

        def tell(event: ProgressEvent) -> None:
            trace.event(event)
            events.put_nowait(event)

        try:
            return await self._executor.plan(work, tell, cancelled)
        finally:
            events.put_nowait(None)
            await storing

    async def _store_events(self, plan_id: str, events: asyncio.Queue[ProgressEvent | None]) -> None:
        while (event := await events.get()) is not None:
            try:
                stored = await self._store.write(
                    PlanStore.add_event,
                    plan_id,
                    self._owner,
                    state=PlanState.RUNNING,
                    phase=event.phase,
                    elapsed_s=event.elapsed_s,
                    objective=event.objective,
                    bound=event.bound,
                    gap=event.gap,
                )
            except Exception:
                log.exception("plan %s: progress lost", plan_id)
            else:
                if stored is not None:  # else another server has the plan, as renewing the lease will tell
                    self._hub.publish(plan_id, stored)

    async def _finish(
        self, record: PlanRecord, state: PlanState, result_json: str | None, error: bytes | None
    ) -> None:
        """Store the outcome; again and again while the store cannot, as long as the lease may be ours."""
        while True:
            try:
                kept = await self._store.write(
                    PlanStore.finish, record.id, self._owner, state, result_json=result_json, error=error
                )
            except Exception:
                log.exception("plan %s: the store cannot take the outcome; trying again", record.id)
                await asyncio.sleep(self._poll_s)
                continue
            log.info(
                "plan %s: %s%s", record.id, state.value, "" if kept else ", but another server has it now"
            )
            return

    async def _keep_lease(self, plan_id: str, cancelled: asyncio.Event) -> None:
        """Renew the lease; learn from it of a cancellation that another server took, or that the plan is
        lost.
        """
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                asked = await self._store.write(PlanStore.renew, plan_id, self._owner, self._lease_s)
            except Exception:
                log.exception("plan %s: the lease cannot be renewed; trying again", plan_id)
                continue
            if asked or asked is None:
                cancelled.set()
            if asked is None:
                return

    def _time_limit_s(self, record: PlanRecord) -> float | None:
        """Seconds left for this plan: its own limit or the server's, and its deadline."""
        limits = []
        own = record.options.time_limit_s
        if own is not None or self._default_time_limit_s is not None:
            limits.append(own if own is not None else self._default_time_limit_s)
        if record.options.deadline_us is not None:
            limits.append((record.options.deadline_us - wall_clock_us()) / 1e6)
        return min((limit for limit in limits if limit is not None), default=None)
