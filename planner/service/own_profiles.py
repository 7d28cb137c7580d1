"""Documents read, and plans made, with the profiles that their tenant uploaded."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from planner.service.async_store import AsyncStore
from planner.service.errors import StatusError, failure
from planner.service.executor import Executor
from planner.service.profile_cache import ProfileCache
from planner.service.protos import code_pb2
from planner.store.plans import PlanStore
from planner.store.profiles import ProfileContent, ProfileStore

__all__ = ["OwnProfiles", "ReadDocument", "profile_changed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDocument:
    """A good document: the fleet's name, and the uploaded profiles it rests on, name → digest."""

    fleet: str
    profiles: Mapping[str, str] = field(default_factory=dict)


class OwnProfiles:
    """Of all tenants.

    Parameters
    ----------
    cache
        Where worker processes find them.
    """

    def __init__(self, store: AsyncStore, executor: Executor, cache: ProfileCache) -> None:
        self._store = store
        self._executor = executor
        self._cache = cache

    async def read(self, tenant: str, document: str, current_json: str | None = None) -> ReadDocument:
        """Check a document of a tenant, and a plan that runs; StatusError when one of them is bad."""
        digests = await self.of(tenant)
        async with self.folders(tenant, digests) as folders:
            checked = await self._executor.check(tenant, document, current_json, folders)
        used = {name: digests[name] for name in checked.gpus if name in digests}
        return ReadDocument(fleet=checked.fleet, profiles=used)

    async def of(self, tenant: str) -> dict[str, str]:
        """Name → digest of what a tenant has now."""
        return await self._store.read(lambda store: ProfileStore(store.database).digests(tenant))

    async def of_plan(self, plan_id: str) -> dict[str, str]:
        """Name → digest of what a plan rests on."""
        return await self._store.read(lambda store: ProfileStore(store.database).pinned(plan_id))

    @contextlib.asynccontextmanager
    async def folders(self, tenant: str, digests: Mapping[str, str]) -> AsyncIterator[dict[str, str]]:
        """Name → folder, for the length of the block.

        Raises
        ------
        StatusError
            ABORTED: one was deleted in the meantime.
        """
        async with contextlib.AsyncExitStack() as stack:
            found = {}
            for name, digest in digests.items():
                load = functools.partial(self._load, tenant, name, digest)
                found[name] = str(await stack.enter_async_context(self._cache.use(digest, load)))
            yield found

    async def _load(self, tenant: str, name: str, digest: str) -> ProfileContent:
        def read(store: PlanStore) -> ProfileContent | None:
            return ProfileStore(store.database).content(tenant, digest)

        content = await self._store.read(read)
        if content is None:
            raise profile_changed(name)
        return content


def profile_changed(name: str = "") -> StatusError:
    """ABORTED: a profile was deleted or replaced since the names of the tenant's were read."""
    what = f"profile {name}" if name else "a profile of this document"
    return failure(code_pb2.ABORTED, "PROFILE_CHANGED", f"{what} was deleted or replaced just now; try again")
