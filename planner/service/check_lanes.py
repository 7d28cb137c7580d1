"""Processes that read what tenants send, so that short reading does not wait behind long.

A document is read at once, or after those of other tenants that came before it, for a short while. One that
takes longer goes on by itself, where no other does; else it is given up, and read anew when its turn among
the long ones comes. So a short one waits for about a short while of whoever is being read, whatever others
send.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from planner.service.check_turns import FairTurns
from planner.service.errors import StatusError
from planner.service.worker_process import WALL_FACTOR, WorkerProcess

__all__ = ["CheckLanes"]

_T = TypeVar("_T")

_PROCESSES = 3
"""One reads for a short while, one what takes long, and one is there when the first has to be given up."""

_WARM_UP_AFTER = 0.25
"""Share of the short while after which the next process is started: it takes about as long as the rest."""
_LEAST_WAIT_S = 0.01


class CheckLanes:
    """Reads in up to three processes, which start when they are needed.

    Parameters
    ----------
    make
        Makes a process that is not started yet.
    short_s
        How long something is read, in seconds of a processor, before it counts as long.
    most_waiting, most_of_tenant
        That may wait to be read.
    most_long, most_long_of_tenant
        That may wait after they turned out to be long.
    """

    def __init__(
        self,
        make: Callable[[], WorkerProcess],
        *,
        short_s: float = 1.0,
        most_waiting: int = 1024,
        most_of_tenant: int = 128,
        most_long: int = 32,
        most_long_of_tenant: int = 4,
    ) -> None:
        self._short_s = short_s
        self._workers = [make() for _ in range(_PROCESSES)]
        self._idle = list(self._workers)
        self._short = FairTurns(
            "documents that wait to be read", most=most_waiting, most_of_tenant=most_of_tenant
        )
        self._long = FairTurns(
            f"documents waiting that take over {short_s:g} s to read",
            most=most_long,
            most_of_tenant=most_long_of_tenant,
        )
        self._warming: set[asyncio.Task[None]] = set()

    @property
    def lost_count(self) -> int:
        """Processes that died or were killed so far."""
        running = sum(worker.process_id is not None for worker in self._workers)
        return sum(worker.start_count for worker in self._workers) - running

    async def start(self) -> None:
        """Start one."""
        await self._idle[0].start()

    async def close(self) -> None:
        """Kill all."""
        for task in self._warming:
            task.cancel()
        await asyncio.gather(*self._warming, return_exceptions=True)
        await asyncio.gather(*(worker.kill() for worker in self._workers))

    async def ask(self, tenant: str, read: Callable[[WorkerProcess], Awaitable[_T]]) -> _T:
        """What `read` returns, called with a process that has nothing else to do.

        Parameters
        ----------
        read
            Called once, or twice. Cancelled, it must leave the process able to read again.

        Raises
        ------
        StatusError
            RESOURCE_EXHAUSTED: too many wait. What `read` raises.
        """
        async with contextlib.AsyncExitStack() as turn:
            await turn.enter_async_context(self._short.turn(tenant))
            async with self._worker() as worker:
                reading = asyncio.ensure_future(read(worker))
                try:
                    if await self._is_short(reading, worker):
                        return reading.result()
                    if self._long.free:
                        async with self._long.turn(tenant):
                            await turn.aclose()
                            return await reading
                finally:
                    await _give_up(reading)
        async with self._long.turn(tenant), self._worker() as worker:
            return await read(worker)

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[WorkerProcess]:
        """A process that has nothing to do; there is one for whoever has a turn."""
        worker = next((worker for worker in self._idle if worker.ready), self._idle[0])
        self._idle.remove(worker)
        try:
            await worker.start()
            yield worker
        finally:
            self._idle.append(worker)

    async def _is_short(self, reading: asyncio.Future[_T], worker: WorkerProcess) -> bool:
        """Whether it ends in a short while. Meanwhile a process is started for those behind it."""
        watch = _Watch(worker.process_id)
        try:
            await watch.wait(reading, _WARM_UP_AFTER * self._short_s)
            if not reading.done():
                self._warm_up()
                await watch.wait(reading, self._short_s)
        except asyncio.CancelledError:
            # The caller is gone. To let it end is cheaper than a new process, for a short while.
            await watch.wait(reading, self._short_s)
            raise
        return reading.done()

    def _warm_up(self) -> None:
        """Have a process ready beside those that read."""
        if any(worker.process_id is not None for worker in self._idle):
            return
        starting = asyncio.create_task(_start(self._idle[0]))
        self._warming.add(starting)
        starting.add_done_callback(self._warming.discard)


class _Watch:
    """How long a process has worked since: time of a processor, where the system tells it.

    What others do on this machine does not make a document long.
    """

    def __init__(self, process_id: int | None) -> None:
        # as clock_getcpuclockid(3) makes it
        self._clock = None if sys.platform != "linux" or process_id is None else (~process_id << 3) | 2
        self._begin_s = time.monotonic()
        self._begin_processor_s = self._processor_s()

    async def wait(self, reading: asyncio.Future[_T], limit_s: float) -> None:
        """Until it is done, or has worked for so long; by the clock no more than six times that."""
        end_s = self._begin_s + WALL_FACTOR * limit_s
        while not reading.done():
            worked_s = self._processor_s() - self._begin_processor_s
            left_s = min(limit_s - worked_s, end_s - time.monotonic())
            if left_s <= 0:
                return
            await asyncio.wait({reading}, timeout=max(left_s, _LEAST_WAIT_S))

    def _processor_s(self) -> float:
        if self._clock is not None:
            with contextlib.suppress(OSError):  # it ended
                return time.clock_gettime(self._clock)
        return time.monotonic()


async def _start(worker: WorkerProcess) -> None:
    with contextlib.suppress(StatusError):  # who needs it starts it again, and is told
        await worker.start()


async def _give_up(reading: asyncio.Future[_T]) -> None:
    """Have it end, whatever comes of it."""
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
