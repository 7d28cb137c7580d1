"""How much of profiles a tenant may have."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ProfileLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLimits:
    """The most that is taken.

    Parameters
    ----------
    table_bytes
        Of the tables of one upload.
    manifest_bytes
        Of a manifest.
    row_count, unpacked_bytes
        Of the tables of one upload, when read.
    profile_count, kept_bytes
        Of one tenant; the bytes include contents that only plans still rest on.
    uploads_at_once, uploads_of_tenant
        That are being received.
    upload_s
        Seconds from the first message of an upload to the last.
    """

    table_bytes: int = 32 * 2**20
    manifest_bytes: int = 256 * 2**10
    row_count: int = 1_000_000
    unpacked_bytes: int = 256 * 2**20
    profile_count: int = 64
    kept_bytes: int = 256 * 2**20
    uploads_at_once: int = 8
    uploads_of_tenant: int = 2
    upload_s: float = 600.0
