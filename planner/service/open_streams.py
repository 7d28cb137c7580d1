"""How many streams may be open at once.

A server answers so many calls at a time and refuses what comes beyond, whoever it is from. Watches stay open
as long as their callers like: without a limit of their own, one tenant's would shut everybody out, and those
of health, which need no credential, anybody's.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator

from planner.service.errors import quota_exceeded

__all__ = ["OpenStreams"]


class OpenStreams:
    """Of one server, used from its event loop only.

    Parameters
    ----------
    most
        Of all tenants together; the rest of the calls that a server answers at once is for those that end
        by themselves.
    most_of_tenant
        Of one tenant. Callers without a credential are together one.
    """

    def __init__(self, *, most: int, most_of_tenant: int) -> None:
        self._most = most
        self._most_of_tenant = most_of_tenant
        self._count_by_tenant: Counter[str] = Counter()

    @contextlib.contextmanager
    def one(self, tenant: str) -> Iterator[None]:
        """An open stream; StatusError RESOURCE_EXHAUSTED where there are too many."""
        if self._count_by_tenant[tenant] >= self._most_of_tenant:
            raise quota_exceeded(tenant or "callers without a credential", _has(self._most_of_tenant))
        if self._count_by_tenant.total() >= self._most:
            raise quota_exceeded("this server", _has(self._most))
        self._count_by_tenant[tenant] += 1
        try:
            yield
        finally:
            self._count_by_tenant[tenant] -= 1
            if not self._count_by_tenant[tenant]:
                del self._count_by_tenant[tenant]


def _has(count: int) -> str:
    return f"has {count} open streams, the most this server lets it have"
