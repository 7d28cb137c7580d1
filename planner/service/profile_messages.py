"""Profiles as messages of the API."""

from __future__ import annotations

from typing import Any

from models.profiles.digest import profile_digest
from models.profiles.manifest import Manifest
from planner.service.convert import timestamp
from planner.service.names import profile_name
from planner.service.protos import profile_service_pb2
from planner.store.records import ProfileRecord

__all__ = ["server_profile", "uploaded_profile", "validation_message"]


def server_profile(name: str, manifest: Manifest) -> profile_service_pb2.Profile:
    """One of the server's own."""
    message = _message(name, manifest)
    message.origin = profile_service_pb2.PROFILE_ORIGIN_SERVER
    return message


def uploaded_profile(
    name: str, manifest: Manifest, record: ProfileRecord | None
) -> profile_service_pb2.Profile:
    """One that was uploaded; no record: checked only."""
    message = _message(name, manifest)
    message.origin = profile_service_pb2.PROFILE_ORIGIN_UPLOADED
    if record is not None:
        message.size_bytes = record.size_bytes
        message.upload_time.CopyFrom(timestamp(record.upload_us))
        message.uploader = record.uploader
    return message


def validation_message(name: str, found: dict[str, Any]) -> profile_service_pb2.ProfileValidation:
    """The answer to a question of the kind ``validate_profile``."""
    return profile_service_pb2.ProfileValidation(
        name=profile_name(name),
        tables=[profile_service_pb2.ProfileTableAccuracy(**table) for table in found["tables"]],
        warnings=found["warnings"],
    )


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
        sha256=profile_digest(manifest),
    )  # fmt: skip


def _basis(basis: str) -> Any:
    return profile_service_pb2.ProfileBasis.Value(f"PROFILE_BASIS_{basis.upper()}")
