"""An upload on its way back, a part at a time: never whole in the server's memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from planner.service.async_store import AsyncStore
from planner.service.names import profile_name
from planner.service.own_profiles import profile_changed
from planner.service.protos import profile_service_pb2
from planner.store.plans import PlanStore
from planner.store.profiles import ProfileStore

__all__ = ["download"]

_PART_BYTES = 2**20


async def download(
    store: AsyncStore, tenant: str, name: str, digest: str
) -> AsyncGenerator[profile_service_pb2.DownloadProfileResponse, None]:
    """The messages that bring the content of a digest, as it would be uploaded again by that name.

    Raises
    ------
    StatusError
        ABORTED: it was deleted in the meantime.
    """
    found = await store.read(lambda plans: ProfileStore(plans.database).sizes(tenant, digest))
    if found is None:
        raise profile_changed(name)
    manifest_json, sizes = found
    whole = hashlib.sha256()  # which comes first, so that everything is read twice
    async for part in _parts(store, tenant, name, digest, sizes):
        whole.update(part)
    yield profile_service_pb2.DownloadProfileResponse(
        upload=profile_service_pb2.ProfileUpload(
            name=profile_name(name), manifest_json=manifest_json, size_bytes=sum(sizes.values()),
            sha256=whole.hexdigest(),
            tables=[
                profile_service_pb2.ProfileUploadTable(operation=operation, size_bytes=size)
                for operation, size in sizes.items()
            ],
        )
    )  # fmt: skip
    async for part in _parts(store, tenant, name, digest, sizes):
        yield profile_service_pb2.DownloadProfileResponse(chunk=part)


async def _parts(
    store: AsyncStore, tenant: str, name: str, digest: str, sizes: Mapping[str, int]
) -> AsyncIterator[bytes]:
    for operation, size in sizes.items():
        for start in range(0, size, _PART_BYTES):

            def read(plans: PlanStore, operation: str = operation, start: int = start) -> bytes | None:
                profiles = ProfileStore(plans.database)
                return profiles.part(tenant, digest, operation, start=start, count=_PART_BYTES)

            part = await store.read(read)
            if part is None:
                raise profile_changed(name)
            yield part
