"""The store for an event loop: every call runs in a thread and is one transaction."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy.exc import OperationalError

from planner.service.errors import StoreUnavailable
from planner.store.plans import PlanStore

__all__ = ["AsyncStore"]

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class AsyncStore:
    """Runs methods of a `PlanStore` in threads.

    Writes go through one thread when the store is SQLite, which has one write lock: waiting for a thread is
    fair and quick, waiting for that lock is neither.
    """

    def __init__(self, store: PlanStore, *, reader_count: int = 4) -> None:
        self.store = store
        writer_count = 1 if store.database.is_sqlite else reader_count
        self._readers = ThreadPoolExecutor(reader_count, thread_name_prefix="store-read")
        self._writers = ThreadPoolExecutor(writer_count, thread_name_prefix="store-write")

    async def read(
        self, method: Callable[Concatenate[PlanStore, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call ``method(store, …)``, which only reads; `StoreUnavailable` while the store cannot."""
        return await self._call(self._readers, method, *args, **kwargs)

    async def write(
        self, method: Callable[Concatenate[PlanStore, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call ``method(store, …)``, which writes; what it wrote is on disk when this returns."""
        return await self._call(self._writers, method, *args, **kwargs)

    async def _call(
        self,
        pool: ThreadPoolExecutor,
        method: Callable[Concatenate[PlanStore, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(
                pool, lambda: method(self.store, *args, **kwargs)
            )
        except (
            OperationalError
        ) as error:  # its text holds statements and values: for the log, not for callers
            log.error("the store failed: %s", error.orig)
            raise StoreUnavailable from error

    def close(self) -> None:
        """Finish what runs, then close the database."""
        self._writers.shutdown()
        self._readers.shutdown()
        self.store.database.close()
