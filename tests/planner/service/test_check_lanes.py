"""Documents that take long to read, and short ones beside them: real processes, scripted and real reading."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from benchmarks.service_load.mutation import bombs
from planner.fleet import read_fleet_file
from planner.service.check_lanes import CheckLanes
from planner.service.errors import StatusError
from planner.service.protos import code_pb2, error_details_pb2
from planner.service.worker_process import WorkerProcess

SCRIPTED = "scripted_backend:ScriptedBackend"
EXAMPLE = Path(__file__).parents[3] / "examples" / "one_model.yaml"
SPIN = "{fleet: long, check: spin}"
WORK = "{fleet: long, check: work}"
SLEEP = "{fleet: idle, check: wait}"

pytestmark = pytest.mark.usefixtures("_scripted")


class Reader:
    """Lanes that read documents."""

    def __init__(self, backend: str, limit_s: float, **settings) -> None:
        self.lanes = CheckLanes(lambda: WorkerProcess(backend), **settings)
        self._limit_s = limit_s

    async def fleet(self, tenant: str, document: str) -> str:
        found = await self.lanes.ask(tenant, lambda worker: worker.check(document, None, {}, self._limit_s))
        return found.fleet

    def asked(self, tenant: str, document: str) -> asyncio.Task[str]:
        return asyncio.create_task(self.fleet(tenant, document))

    @property
    def process_ids(self) -> set[int]:
        return {worker.process_id for worker in self.lanes._workers} - {None}


def run(use, *, backend: str = SCRIPTED, limit_s: float = 600.0, **settings):
    async def main():
        reader = Reader(backend, limit_s, **settings)
        try:
            return await use(reader)
        finally:
            await reader.lanes.close()
            assert not reader.process_ids

    return asyncio.run(main())


async def refusal(asked) -> tuple[int, str]:
    with pytest.raises(StatusError) as refused:
        await asked
    info = error_details_pb2.ErrorInfo()
    assert refused.value.status.details[0].Unpack(info)
    return refused.value.status.code, info.reason


async def ended(*asked: asyncio.Task[str]) -> None:
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


def test_a_cheap_document_does_not_wait_for_exhausting_ones() -> None:
    """With the real reader, and a document that keeps a processor busy for longer than it may."""
    exhausting = bombs()[-1]

    async def use(reader: Reader) -> None:
        theirs = [reader.asked("red", exhausting) for _ in range(3)]
        await asyncio.sleep(0)
        assert await reader.fleet("green", read_fleet_file(EXAMPLE).self_contained) == "one-model"
        assert not any(task.done() for task in theirs)
        await ended(*theirs)

    run(use, backend="planner.service.backend:PipelineBackend", short_s=0.3)


def test_what_takes_long_goes_on_where_it_is_and_what_comes_then_does_not_wait() -> None:
    async def use(reader: Reader) -> None:
        long = reader.asked("red", SPIN)
        while reader.lanes._long.free:
            await asyncio.sleep(0.01)
        assert await reader.fleet("red", "fleet: short") == "short"
        assert not long.done()
        assert reader.lanes.lost_count == 0
        await ended(long)

    run(use, short_s=0.1)


def test_of_several_that_take_long_each_is_read_in_the_end() -> None:
    async def use(reader: Reader) -> list[str]:
        return await asyncio.gather(*(reader.fleet(tenant, WORK) for tenant in ("red", "green")))

    assert run(use, short_s=0.1) == ["long"] * 2


def test_the_limit_of_a_document_holds_in_both_lanes() -> None:
    async def use(reader: Reader) -> list[tuple[int, str]]:
        return await asyncio.gather(*(refusal(reader.fleet("red", SPIN)) for _ in range(2)))

    refused = (code_pb2.INVALID_ARGUMENT, "DOCUMENT_TOO_COMPLEX")
    assert run(use, limit_s=0.4, short_s=0.1) == [refused] * 2


def test_more_that_take_long_than_may_wait_are_refused() -> None:
    async def use(reader: Reader) -> set[tuple[int, str]]:
        theirs = [reader.asked("red", SPIN) for _ in range(3)]  # one is read, one waits
        done, others = await asyncio.wait(theirs, return_when=asyncio.FIRST_COMPLETED)
        await ended(*others)
        return {await refusal(task) for task in done}

    refused = (code_pb2.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
    assert run(use, short_s=0.05, most_long_of_tenant=1) == {refused}


def test_a_process_that_dies_is_no_fault_of_the_document() -> None:
    async def use(reader: Reader) -> None:
        asked = reader.asked("red", SLEEP)
        while not reader.process_ids:
            await asyncio.sleep(0.01)
        for process_id in reader.process_ids:
            os.kill(process_id, signal.SIGKILL)
        code, reason = await refusal(asked)
        assert code == code_pb2.UNAVAILABLE
        assert reason in ("WORKER_DIED", "WORKER_NOT_STARTED")
        assert await reader.fleet("red", "fleet: again") == "again"
        assert reader.lanes.lost_count == 1

    run(use)


def test_what_is_read_when_everything_ends_is_told_so() -> None:
    async def use(reader: Reader) -> tuple[int, str]:
        asked = reader.asked("red", SPIN)
        while not any(worker.ready for worker in reader.lanes._workers):
            await asyncio.sleep(0.01)
        await reader.lanes.close()
        return await refusal(asked)

    assert run(use) == (code_pb2.UNAVAILABLE, "WORKER_DIED")


def test_a_caller_that_goes_costs_no_process() -> None:
    async def use(reader: Reader) -> None:
        await reader.fleet("red", "fleet: warm")
        before = reader.process_ids
        gone, waiting = reader.asked("red", SLEEP), reader.asked("red", "fleet: short")
        await asyncio.sleep(0.1)
        gone.cancel()
        assert await waiting == "short"
        with contextlib.suppress(asyncio.CancelledError):
            await gone
        assert gone.cancelled()
        assert reader.process_ids == before
        assert reader.lanes.lost_count == 0

    run(use, short_s=60.0)


def test_a_caller_that_goes_ends_what_takes_long() -> None:
    async def use(reader: Reader) -> None:
        gone = reader.asked("red", SPIN)
        while reader.lanes._long.free:
            await asyncio.sleep(0.01)
        gone.cancel()
        assert await reader.fleet("red", WORK) == "long"
        assert gone.cancelled()
        assert reader.lanes.lost_count == 1

    run(use, short_s=0.1)
