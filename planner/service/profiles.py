"""`fulcrum.v1.ProfileService`."""
# ruff: noqa: N802 - the names of the RPCs

from __future__ import annotations

import asyncio
import logging
from typing import Any

import grpc.aio

from models.errors import FulcrumError
from models.profiles.catalogue import known_profiles
from models.profiles.manifest import Manifest
from models.profiles.store import read_manifest
from planner.service.errors import failure, not_found
from planner.service.names import parse_profile, profile_name
from planner.service.paging import decode_token, encode_token, page_limit
from planner.service.protos import code_pb2, profile_service_pb2, profile_service_pb2_grpc

__all__ = ["ProfileService"]

log = logging.getLogger(__name__)

_Context = grpc.aio.ServicerContext[Any, Any]


class ProfileService(profile_service_pb2_grpc.ProfileServiceServicer):
    """Manifests of the profiles that are found now. A name is looked up among those, never as a path."""

    async def GetProfile(
        self, request: profile_service_pb2.GetProfileRequest, context: _Context
    ) -> profile_service_pb2.Profile:
        """One profile."""
        name = parse_profile(request.name)
        found = await asyncio.to_thread(_find, name)
        if found is None:
            raise not_found("fulcrum.dev/Profile", request.name)
        return _message(name, found)

    async def ListProfiles(
        self, request: profile_service_pb2.ListProfilesRequest, context: _Context
    ) -> profile_service_pb2.ListProfilesResponse:
        """One page of profiles."""
        limit = page_limit(request.page_size)
        after = decode_token(request.page_token, "profiles")
        manifests = await asyncio.to_thread(_page, "" if after is None else after[1], limit + 1)
        response = profile_service_pb2.ListProfilesResponse(
            profiles=[_message(name, manifest) for name, manifest in manifests[:limit]]
        )
        if len(manifests) > limit:
            response.next_page_token = encode_token((0, manifests[limit - 1][0]), "profiles")
        return response


def _find(name: str) -> Manifest | None:
    """Manifest of the profile in the folder of that name; StatusError when it cannot be read."""
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
    """Up to `limit` names above `after` with their manifests, by name."""
    found: list[tuple[str, Manifest]] = []
    for name, folder in known_profiles().items():
        if name <= after or len(found) == limit:
            continue
        try:
            found.append((name, read_manifest(folder)))
        except FulcrumError as error:
            log.warning("profile %s is left out: %s", name, error)
    return found


def _message(name: str, manifest: Manifest) -> profile_service_pb2.Profile:
    return profile_service_pb2.Profile(
        name=profile_name(name),
        gpu=manifest.gpu,
        device=manifest.device.name,
        driver=manifest.device.driver,
        basis=_basis(manifest.basis),
        source=manifest.source,
        licence=manifest.licence,
        created=manifest.created,
        libraries=manifest.libraries,
        tables=[
            profile_service_pb2.ProfileTable(
                operation=operation, row_count=entry.rows, basis=_basis(entry.basis), source=entry.source,
                sha256=entry.sha256,
            )
            for operation, entry in sorted(manifest.tables.items())
        ],
    )  # fmt: skip


def _basis(basis: str) -> Any:
    return profile_service_pb2.ProfileBasis.Value(f"PROFILE_BASIS_{basis.upper()}")
