"""One at a time, and fair by tenant: whose turn it is where several wait."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from planner.service.errors import quota_exceeded

__all__ = ["FairTurns"]


@dataclass(slots=True)
class _Tenant:
    """One that waits, or has its turn.

    Parameters
    ----------
    used_s
        Length of its turns. One that comes anew begins with the least that another has used: it comes next,
        and has saved nothing up.
    last_turn
        Number of its last turn, 0 before the first.
    """

    used_s: float
    last_turn: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class FairTurns:
    """Turns; next comes the tenant whose turns took least so far, of several the one that was served least
    recently.

    Parameters
    ----------
    what
        Those that wait, for messages: ``documents that wait to be read``.
    most, most_of_tenant
        That may wait.
    clock
        Returns seconds; only differences count.
    """

    def __init__(
        self, what: str, *, most: int, most_of_tenant: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._what = what
        self._most = most
        self._most_of_tenant = most_of_tenant
        self._clock = clock
        self._tenants: dict[str, _Tenant] = {}
        self._numbers = itertools.count(1)
        self._whose: str | None = None

    @property
    def free(self) -> bool:
        """Whether the next to come has its turn at once."""
        return self._whose is None

    @contextlib.asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Wait for a turn, which lasts as long as the block.

        Raises
        ------
        StatusError
            RESOURCE_EXHAUSTED: too many wait already.
        """
        mine = self._tenants.get(tenant) or _Tenant(used_s=self._least_used_s())
        if self.free:
            self._whose = tenant
            self._tenants[tenant] = mine
        else:
            self._check_room(tenant)
            self._tenants[tenant] = mine
            await self._called(tenant, mine)
        begin_s, mine.last_turn = self._clock(), next(self._numbers)
        try:
            yield
        finally:
            mine.used_s += self._clock() - begin_s
            self._next()

    async def _called(self, tenant: str, mine: _Tenant) -> None:
        called = asyncio.get_running_loop().create_future()
        mine.waiting.append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.cancelled():
                mine.waiting.remove(called)
                self._forget(tenant)
            else:  # it was called, and goes at this very moment
                self._next()
            raise

    def _check_room(self, tenant: str) -> None:
        counts = {name: len(other.waiting) for name, other in self._tenants.items()}
        if (count := counts.get(tenant, 0)) >= self._most_of_tenant:
            raise quota_exceeded(tenant, f"has {count} {self._what} already")
        if (total := sum(counts.values())) >= self._most:
            raise quota_exceeded("this server", f"has {total} {self._what} already")

    def _least_used_s(self) -> float:
        return min((tenant.used_s for tenant in self._tenants.values()), default=0.0)

    def _next(self) -> None:
        """The turn is over: call the next."""
        assert self._whose is not None
        last, self._whose = self._whose, None
        self._forget(last)
        waiting = [name for name, tenant in self._tenants.items() if tenant.waiting]
        if waiting:
            self._whose = min(waiting, key=self._rank)
            self._tenants[self._whose].waiting.popleft().set_result(None)

    def _rank(self, name: str) -> tuple[float, int]:
        tenant = self._tenants[name]
        return tenant.used_s, tenant.last_turn

    def _forget(self, name: str) -> None:
        if name != self._whose and not self._tenants[name].waiting:
            del self._tenants[name]
