"""`fulcrum.v1.ProfileService`."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
from google.protobuf import empty_pb2

from models.errors import FulcrumError
from models.profiles.catalogue import known_profiles
from models.profiles.manifest import Manifest
from models.profiles.store import read_manifest
from planner.service.async_store import AsyncStore
from planner.service.backend import AssignmentOutcome, Question
from planner.service.errors import failure, invalid_argument, not_found, quota_exceeded
from planner.service.executor import Executor
from planner.service.identity import caller, current_tenant
from planner.service.names import parse_profile, profile_name
from planner.service.own_profiles import OwnProfiles
from planner.service.paging import decode_token, encode_token, page_limit
from planner.service.profile_cache import ProfileCache
from planner.service.profile_check import CheckedProfile, ProfileToCheck, table_file
from planner.service.profile_downloads import download
from planner.service.profile_limits import ProfileLimits
from planner.service.profile_messages import server_profile, uploaded_profile, validation_message
from planner.service.profile_uploads import ProfileUploads, Upload
from planner.service.protos import code_pb2, profile_service_pb2, profile_service_pb2_grpc
from planner.service.streamed import StreamedWork, time_to_work_s
from planner.store.plans import PlanStore, RequestIdReused
from planner.store.profiles import (
    ProfileDeleted,
    ProfileExists,
    ProfileQuotaFull,
    ProfileStore,
)
from planner.store.records import NewProfile, ProfileRecord

__all__ = ["ProfileService"]

log = logging.getLogger(__name__)

_Context = grpc.aio.ServicerContext[Any, Any]
_TYPE = "fulcrum.dev/Profile"


class ProfileService(profile_service_pb2_grpc.ProfileServiceServicer):
    """What tenants uploaded, before the server's own. A name is looked up among those, never as a path."""

    def __init__(
        self, store: AsyncStore, executor: Executor, streamed: StreamedWork, profiles: OwnProfiles,
        cache: ProfileCache, limits: ProfileLimits, *, default_time_limit_s: float,
    ) -> None:  # fmt: skip
        self._store = store
        self._executor = executor
        self._streamed = streamed
        self._profiles = profiles
        self._cache = cache
        self._limits = limits
        self._uploads = ProfileUploads(limits)
        self._default_time_limit_s = default_time_limit_s

    async def GetProfile(
        self, request: profile_service_pb2.GetProfileRequest, context: _Context
    ) -> profile_service_pb2.Profile:
        """One profile."""
        name = parse_profile(request.name)
        record = await self._uploaded(name)
        if record is not None:
            return await asyncio.to_thread(_uploaded_message, record)
        found = await asyncio.to_thread(_find, name)
        if found is None:
            raise not_found(_TYPE, request.name)
        return server_profile(name, found)

    async def ListProfiles(
        self, request: profile_service_pb2.ListProfilesRequest, context: _Context
    ) -> profile_service_pb2.ListProfilesResponse:
        """One page of profiles."""
        limit, tenant = page_limit(request.page_size), current_tenant()
        token = decode_token(request.page_token, "profiles")
        after = "" if token is None else token[1]

        def read(store: PlanStore) -> list[profile_service_pb2.Profile]:
            uploaded = ProfileStore(store.database).page(tenant, limit=limit + 1, after=after)
            found = {name: server_profile(name, manifest) for name, manifest in _page(after, limit + 1)}
            found |= {record.name: _uploaded_message(record) for record in uploaded}
            return [found[name] for name in sorted(found)][: limit + 1]

        found = await self._store.read(read)
        response = profile_service_pb2.ListProfilesResponse(profiles=found[:limit])
        if len(found) > limit:
            response.next_page_token = encode_token((0, parse_profile(found[limit - 1].name)), "profiles")
        return response

    async def UploadProfile(
        self, messages: AsyncIterator[profile_service_pb2.UploadProfileRequest], context: _Context
    ) -> profile_service_pb2.Profile:
        """Receive, check, keep."""
        with self._uploads.slot(current_tenant()), self._cache.scratch() as folder:
            upload = await self._uploads.receive(messages, folder)
            checked = await self._executor.check_profile(
                current_tenant(),
                ProfileToCheck(
                    folder=str(folder), manifest_json=upload.manifest_json,
                    row_count=self._limits.row_count, unpacked_bytes=self._limits.unpacked_bytes,
                ),
            )  # fmt: skip
            manifest = _manifest(checked.manifest_json)
            if set(manifest.tables) != set(upload.operations):
                raise invalid_argument(
                    "upload.tables",
                    f"sends {sorted(upload.operations)}, the manifest has {sorted(manifest.tables)}",
                )
            if upload.validate_only:
                return uploaded_profile(upload.name, manifest, None)
            tables = await asyncio.to_thread(_read_tables, folder, upload.operations)
        return await asyncio.to_thread(_uploaded_message, await self._keep(upload, checked, tables))

    async def DownloadProfile(
        self, request: profile_service_pb2.DownloadProfileRequest, context: _Context
    ) -> AsyncIterator[profile_service_pb2.DownloadProfileResponse]:
        """What was uploaded."""
        tenant, name = current_tenant(), parse_profile(request.name)
        record = await self._uploaded(name)
        if record is None:
            raise not_found(_TYPE, request.name)
        async with contextlib.aclosing(download(self._store, tenant, name, record.digest)) as responses:
            async for response in responses:
                yield response

    async def ValidateProfile(
        self, request: profile_service_pb2.ValidateProfileRequest, context: _Context
    ) -> profile_service_pb2.ProfileValidation:
        """Leave every point out once, in a worker."""
        name = parse_profile(request.name)
        record = await self._uploaded(name)
        async with contextlib.AsyncExitStack() as stack:
            if record is not None:
                digests = {name: record.digest}
                own = self._profiles.folders(current_tenant(), digests)
                folders = await stack.enter_async_context(own)
            elif (folder := (await asyncio.to_thread(known_profiles)).get(name)) is not None:
                folders = {name: str(folder)}
            else:
                raise not_found(_TYPE, request.name)

            def begin() -> Question:
                limit_s = min(self._default_time_limit_s, time_to_work_s(context.time_remaining()))
                return Question(kind="validate_profile", document="", profiles=folders, time_limit_s=limit_s)

            events = self._streamed.stream("validate_profile", begin)
            async for event in await stack.enter_async_context(contextlib.aclosing(events)):
                if isinstance(event, AssignmentOutcome):
                    return validation_message(name, json.loads(event.answer_json or ""))
        raise AssertionError("a stream of work ends with its outcome")

    async def DeleteProfile(
        self, request: profile_service_pb2.DeleteProfileRequest, context: _Context
    ) -> empty_pb2.Empty:
        """Forget an upload."""
        tenant, name = current_tenant(), parse_profile(request.name)
        done = await self._store.write(lambda store: ProfileStore(store.database).delete(tenant, name))
        if not done and not request.allow_missing:
            raise not_found(_TYPE, request.name)
        return empty_pb2.Empty()

    async def _uploaded(self, name: str) -> ProfileRecord | None:
        tenant = current_tenant()
        return await self._store.read(lambda store: ProfileStore(store.database).get(tenant, name))

    async def _keep(self, upload: Upload, checked: CheckedProfile, tables: dict[str, bytes]) -> ProfileRecord:
        new = NewProfile(
            tenant=current_tenant(), name=upload.name, digest=checked.digest,
            manifest_json=checked.manifest_json, tables=tables, uploader=caller.get().name,
            replace_existing=upload.replace_existing, request_id=upload.request_id,
        )  # fmt: skip

        def add(store: PlanStore) -> ProfileRecord:
            return ProfileStore(store.database).add(
                new, most_profiles=self._limits.profile_count, most_bytes=self._limits.kept_bytes
            )

        try:
            return await self._store.write(add)
        except RequestIdReused:
            raise invalid_argument(
                "upload.request_id", "was used with another upload; a new one needs a new id",
                "REQUEST_ID_REUSED",
            ) from None  # fmt: skip
        except ProfileExists:
            raise failure(
                code_pb2.ALREADY_EXISTS, "PROFILE_EXISTS",
                f"{profile_name(upload.name)} has other content; set replace_existing or take another name",
            ) from None  # fmt: skip
        except ProfileDeleted:
            raise not_found(_TYPE, profile_name(upload.name)) from None
        except ProfileQuotaFull as full:
            raise quota_exceeded(new.tenant, f"{full}; delete some first") from None


def _read_tables(folder: Path, operations: tuple[str, ...]) -> dict[str, bytes]:
    return {operation: (folder / table_file(operation)).read_bytes() for operation in operations}


def _manifest(text: str) -> Manifest:
    return Manifest.from_json(json.loads(text), source="an upload")


def _uploaded_message(record: ProfileRecord) -> profile_service_pb2.Profile:
    return uploaded_profile(record.name, _manifest(record.manifest_json), record)


def _find(name: str) -> Manifest | None:
    """Manifest of the server's profile of that name; StatusError when it cannot be read."""
    folder = known_profiles().get(name)
    if folder is None:
        return None
    try:
        return read_manifest(folder)
    except FulcrumError as error:
        log.warning("profile %s: %s", name, error)
        raise failure(
            code_pb2.FAILED_PRECONDITION,
            "PROFILE_DAMAGED",
            f"the manifest of {profile_name(name)} cannot be read; the server's log says why",
        ) from error


def _page(after: str, limit: int) -> list[tuple[str, Manifest]]:
    """Up to `limit` names above `after` of the server's profiles with their manifests, by name."""
    found: list[tuple[str, Manifest]] = []
    for name, folder in known_profiles().items():
        if name <= after or len(found) == limit:
            continue
        try:
            found.append((name, read_manifest(folder)))
        except FulcrumError as error:
            log.warning("profile %s is left out: %s", name, error)
    return found
