"""The dispatcher with an executor that is told what to do."""

from __future__ import annotations

import asyncio

import pytest

from planner.service.async_store import AsyncStore
from planner.service.backend import Outcome
from planner.service.dispatcher import Dispatcher
from planner.service.errors import StoreUnavailable
from planner.service.hub import Hub
from planner.service.own_profiles import OwnProfiles
from planner.service.profile_cache import ProfileCache
from planner.service.protos import error_details_pb2, status_pb2
from planner.store.database import Database
from planner.store.plans import PlanStore, wall_clock_us
from planner.store.records import NewPlan, PlanState


class Executor:
    """Counts what runs; each plan waits until `let_go`, or until it is cancelled."""

    def __init__(self, slot_count=1):
        self.slot_count = slot_count
        self.started = []
        self.let_go = asyncio.Event()

    async def plan(self, work, on_progress, cancelled):
        self.started.append(work)
        waits = [asyncio.create_task(event.wait()) for event in (self.let_go, cancelled)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return Outcome(state="cancelled" if cancelled.is_set() else "optimal", plan_json="{}")


class Gone:
    """A store that a server no longer reaches."""

    async def write(self, *arguments, **fields):
        raise OSError("unplugged")

    read = write


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
def run(tmp_path):
    """Run ``use(store, make)``; ``make(executor, …)`` starts a dispatcher on the store."""

    def run_it(use):
        async def main():
            store = AsyncStore(PlanStore(Database(str(tmp_path / "plans.sqlite"))))
            cache, dispatchers = ProfileCache(parent=tmp_path), []

            def make(executor, **settings):
                own = OwnProfiles(store, executor, cache)
                dispatcher = Dispatcher(store, executor, Hub(), own, poll_s=0.02, **settings)
                dispatchers.append(dispatcher)
                dispatcher.start()
                return dispatcher

            try:
                await use(store.store, make)
            finally:
                for dispatcher in dispatchers:
                    await dispatcher.close(0)
                store.close()
                cache.close()

        asyncio.run(main())

    return run_it


def add(store, **fields):
    return store.add(NewPlan(tenant="t", fleet="f", document="d", **fields))[0].id


def test_no_more_plans_run_than_there_are_slots(run):
    async def use(store, make):
        executor = Executor(slot_count=2)
        ids = [add(store) for _ in range(5)]
        dispatcher = make(executor)
        await until(lambda: len(executor.started) == 2)
        await asyncio.sleep(0.1)
        assert len(executor.started) == dispatcher.running_count == 2
        executor.let_go.set()
        await until(lambda: all(store.get(plan_id).state is PlanState.OPTIMAL for plan_id in ids))

    run(use)


def test_two_dispatchers_share_a_queue_and_make_nothing_twice(run):
    async def use(store, make):
        ids = [add(store) for _ in range(20)]
        executors = [Executor(), Executor()]
        for executor in executors:
            executor.let_go.set()
            make(executor)
        await until(lambda: all(store.get(plan_id).state is PlanState.OPTIMAL for plan_id in ids))
        assert sum(len(executor.started) for executor in executors) == 20
        assert all(store.get(plan_id).attempt_count == 1 for plan_id in ids)

    run(use)


def test_a_long_plan_keeps_its_lease(run):
    async def use(store, make):
        plan_id = add(store)
        first, second = Executor(), Executor()
        make(first, lease_s=0.15)
        await until(lambda: first.started)
        make(second, lease_s=0.15)
        await asyncio.sleep(0.6)
        first.let_go.set()
        await until(lambda: store.get(plan_id).state is PlanState.OPTIMAL)
        assert not second.started

    run(use)


@pytest.mark.parametrize("jump_s", [86400, -86400])
def test_a_clock_that_jumps_takes_no_plan_from_its_owner_and_keeps_none_from_its_heir(
    run, monkeypatch, jump_s
):
    async def use(store, make):
        plan_id = add(store)
        offset_us = 0
        monkeypatch.setattr(store, "_clock", lambda: wall_clock_us() + offset_us)
        first, second = Executor(), Executor()
        owner = make(first, lease_s=0.3)
        await until(lambda: first.started)
        make(second, lease_s=0.3)
        offset_us = jump_s * 10**6
        await asyncio.sleep(0.6)
        assert not second.started
        owner._store = Gone()
        await until(lambda: second.started)
        assert store.get(plan_id).attempt_count == 2

    run(use)


def test_a_cancellation_taken_by_another_server_arrives_with_the_lease(run):
    async def use(store, make):
        plan_id = add(store)
        executor = Executor()
        make(executor, lease_s=0.15)
        await until(lambda: executor.started)
        store.request_cancel(plan_id)
        await until(lambda: store.get(plan_id).state is PlanState.CANCELLED)

    run(use)


def test_a_store_that_fails_between_claim_and_start_fails_no_plan(run, monkeypatch):
    async def use(store, make):
        asked, of_plan = [], OwnProfiles.of_plan

        async def failing_at_first(self, plan_id):
            asked.append(plan_id)
            if len(asked) < 3:
                raise StoreUnavailable
            return await of_plan(self, plan_id)

        monkeypatch.setattr(OwnProfiles, "of_plan", failing_at_first)
        plan_id = add(store)
        executor = Executor()
        executor.let_go.set()
        make(executor)
        await until(lambda: store.get(plan_id).state is not PlanState.QUEUED and len(asked) == 3)
        await until(lambda: store.get(plan_id).state is PlanState.OPTIMAL)
        assert store.get(plan_id).attempt_count == 1

    run(use)


def test_closing_hands_back_what_runs(run):
    async def use(store, make):
        plan_id = add(store)
        executor = Executor()
        dispatcher = make(executor)
        await until(lambda: executor.started)
        await dispatcher.close(0.05)
        record = store.get(plan_id)
        assert (record.state, record.attempt_count) == (PlanState.QUEUED, 0)

    run(use)


def test_a_plan_whose_servers_keep_dying_is_given_up(run):
    async def use(store, make):
        plan_id = add(store)
        for owner in ("dead", "dead too"):
            store.claim(owner, 10, store.leases())
        executor = Executor()
        make(executor, max_attempts=2, lease_s=0.1)
        await until(lambda: store.get(plan_id).state is PlanState.FAILED)
        assert not executor.started
        info = error_details_pb2.ErrorInfo()
        assert status_pb2.Status.FromString(store.get(plan_id).error).details[0].Unpack(info)
        assert info.reason == "TOO_MANY_ATTEMPTS"

    run(use)


def test_the_servers_time_limit_holds_where_the_caller_states_none(run):
    async def use(store, make):
        add(store)
        executor = Executor()
        make(executor, default_time_limit_s=7.0)
        await until(lambda: executor.started)
        assert executor.started[0].time_limit_s == 7.0

    run(use)


def test_a_store_that_fails_for_a_while_costs_nothing(run, monkeypatch):
    async def use(store, make):
        plan_id = add(store)
        executor = Executor()
        executor.let_go.set()
        real, failures = PlanStore.finish, []

        def finish(*arguments, **fields):
            if len(failures) < 3:
                failures.append(1)
                raise OSError("disk full")
            return real(*arguments, **fields)

        monkeypatch.setattr(PlanStore, "finish", finish)
        make(executor)
        await until(lambda: store.get(plan_id).state is PlanState.OPTIMAL)
        assert len(failures) == 3

    run(use)


def test_a_plan_that_nothing_here_works_at_any_more_is_made_again(run, monkeypatch):
    async def use(store, make):
        plan_id = add(store)
        executor = Executor()
        executor.let_go.set()
        dispatcher = make(executor, lease_s=0.15)
        failures = []

        def fail_once(*_):
            if not failures:
                failures.append(1)
                raise ZeroDivisionError

        monkeypatch.setattr(dispatcher._metrics, "solve_ended", fail_once)
        await until(lambda: store.get(plan_id).state is PlanState.OPTIMAL)
        assert store.get(plan_id).attempt_count == 2

    run(use)
