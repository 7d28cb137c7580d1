"""Worker processes: what they may do to the server, which is nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest

from planner.service.backend import Work
from planner.service.errors import StatusError
from planner.service.executor import ProcessExecutor
from planner.service.protos import error_details_pb2
from planner.service.worker_process import WorkerProcess

SCRIPTED = "scripted_backend:ScriptedBackend"


pytestmark = pytest.mark.usefixtures("_scripted")


def run(use, **settings):
    """Run ``use(executor)`` with an executor that is closed afterwards."""

    async def main():
        executor = ProcessExecutor(SCRIPTED, **settings)
        try:
            return await use(executor)
        finally:
            await executor.close()

    return asyncio.run(main())


def reason(error):
    info = error_details_pb2.ErrorInfo()
    assert error.status.details[0].Unpack(info)
    return info.reason


def plan(executor, document, *, cancelled=None, events=None, **work):
    return executor.plan(
        Work(document=document, **work),
        (events if events is not None else []).append,
        cancelled or asyncio.Event(),
    )


def test_one_worker_makes_one_plan_after_the_other():
    async def use(executor):
        first = await plan(executor, "fleet: a")
        ids = executor.process_ids
        second = await plan(executor, "fleet: b")
        return first, second, ids == executor.process_ids

    first, second, same_process = run(use)

    assert '"fleet": "a"' in first.plan_json
    assert '"fleet": "b"' in second.plan_json
    assert same_process


def test_what_a_solver_prints_does_not_break_the_conversation():
    assert run(lambda executor: plan(executor, "{fleet: demo, then: print}")).state == "optimal"


def test_a_worker_over_its_memory_limit_fails_alone():
    async def use(executor):
        with pytest.raises(StatusError) as failed:
            await plan(executor, "{fleet: demo, then: eat}")
        return reason(failed.value), (await plan(executor, "fleet: demo")).state

    assert run(use, memory_bytes=2**29) == ("OUT_OF_MEMORY", "optimal")


def test_a_worker_that_overruns_is_killed_and_replaced():
    async def use(executor):
        document = "{fleet: demo, pause_s: 600, overrun_s: 600}"
        with pytest.raises(StatusError) as failed:
            await plan(executor, document, time_limit_s=0.1)
        return reason(failed.value), (await plan(executor, "fleet: demo")).state

    assert run(use, overrun_s=0.2) == ("WORKER_OVERRAN", "optimal")


def test_a_worker_deaf_to_cancelling_is_killed():
    async def use(executor):
        cancelled, events = asyncio.Event(), []
        document = "{fleet: demo, pause_s: 600, stops: false}"
        making = asyncio.create_task(plan(executor, document, cancelled=cancelled, events=events))
        while not events:
            await asyncio.sleep(0.01)
        cancelled.set()
        outcome = await making
        return outcome, (await plan(executor, "fleet: demo")).state

    outcome, after = run(use, cancel_s=0.2)

    assert (outcome.state, outcome.plan_json) == ("cancelled", None)
    assert after == "optimal"


@pytest.mark.parametrize("ends", ["is cancelled", "is given up", "is out of time"])
def test_what_a_deaf_worker_was_sent_in_part_is_not_answered_to_the_next(ends):
    """The document fills the pipe, and the worker, which is stopped, reads none of it."""

    async def use(executor):
        await executor.start()
        (worker,) = executor.process_ids
        os.kill(worker, signal.SIGSTOP)
        cancelled = asyncio.Event()
        limit = {"time_limit_s": 0.05} if ends == "is out of time" else {}
        document = f"fleet: first #{'x' * 2**20}"
        making = asyncio.create_task(plan(executor, document, cancelled=cancelled, **limit))
        if ends == "is out of time":
            with pytest.raises(StatusError, match="did not stop at its time limit"):
                await making
        else:
            await asyncio.sleep(0.1)
            making.cancel() if ends == "is given up" else cancelled.set()
            await asyncio.gather(making, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGCONT)
        return (await plan(executor, "fleet: second")).plan_json

    assert '"fleet": "second"' in run(use, cancel_s=0.1, overrun_s=0.05)


def test_a_cancel_does_not_reach_the_next_plan():
    async def use(executor):
        cancelled = asyncio.Event()
        cancelled.set()
        await plan(executor, "{fleet: demo, pause_s: 600}", cancelled=cancelled)
        return (await plan(executor, "{fleet: demo, pause_s: 0.05}")).state

    assert run(use) == "optimal"


def test_a_document_that_takes_too_long_to_read_is_refused_and_the_next_is_not():
    async def use(executor):
        with pytest.raises(StatusError) as failed:
            await executor.check("me", "{fleet: demo, check: hang}", None)
        return reason(failed.value), (await executor.check("me", "fleet: demo", None)).fleet

    assert run(use, check_s=0.3) == ("DOCUMENT_TOO_COMPLEX", "demo")


def test_a_document_that_keeps_a_processor_busy_is_refused_by_its_own_time():
    async def use(executor):
        with pytest.raises(StatusError) as failed:
            await executor.check("me", "{fleet: demo, check: spin}", None)
        checked = await executor.check("me", "fleet: demo", None)
        return reason(failed.value), checked.fleet, executor.restart_count

    assert run(use, check_s=0.5) == ("DOCUMENT_TOO_COMPLEX", "demo", 1)


def test_a_check_that_waits_for_a_processor_is_not_refused():
    document = "{fleet: demo, check: wait}"
    assert run(lambda executor: executor.check("me", document, None), check_s=0.5).fleet == "demo"


def test_two_slots_work_at_once():
    async def use(executor):
        outcomes = await asyncio.gather(*(plan(executor, "{fleet: demo, pause_s: 0.2}") for _ in range(4)))
        return [outcome.state for outcome in outcomes], len(executor.process_ids)

    assert run(use, slot_count=2) == (["optimal"] * 4, 2)


def test_a_backend_that_does_not_exist_is_reported():
    async def main():
        executor = ProcessExecutor("nowhere:Nothing")
        try:
            with pytest.raises(StatusError) as failed:
                await executor.start()
        finally:
            await executor.close()
        return reason(failed.value)

    assert asyncio.run(main()) == "WORKER_NOT_STARTED"


def test_a_failed_start_leaves_no_worker_in_mid_start(monkeypatch):
    """The event loop may end right after it: a process that nobody waits for would be left to the system."""
    started = []
    real_start = WorkerProcess.start

    async def start(worker):
        if worker is slow:
            await asyncio.sleep(0.2)
        try:
            await real_start(worker)
        finally:
            started.append(worker)

    executor = ProcessExecutor("nowhere:Nothing")
    slow = executor._planners[-1]
    monkeypatch.setattr(WorkerProcess, "start", start)

    async def main():
        with pytest.raises(StatusError):
            await executor.start()
        return slow in started

    assert asyncio.run(main())


def test_workers_end_with_their_executor():
    async def use(executor):
        await executor.start()
        return executor.process_ids

    for pid in run(use):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            pytest.fail(f"worker {pid} still runs")
