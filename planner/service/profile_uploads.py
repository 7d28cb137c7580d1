"""An upload on its way to the disk: counted and hashed as it comes, believed in nothing."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import nearest
from models.profiles.schema import OPERATIONS
from planner.service.create_request import checked_request_id
from planner.service.errors import StatusError, failure, invalid_argument, quota_exceeded
from planner.service.names import parse_upload
from planner.service.profile_check import table_file
from planner.service.profile_limits import ProfileLimits
from planner.service.protos import code_pb2, profile_service_pb2

__all__ = ["ProfileUploads", "Upload"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_Messages = AsyncIterator[profile_service_pb2.UploadProfileRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What lies in a folder now; the rest is as the caller said it."""

    name: str
    manifest_json: str
    operations: tuple[str, ...]
    replace_existing: bool
    validate_only: bool
    request_id: str | None


class ProfileUploads:
    """Receives uploads, so many at once."""

    def __init__(self, limits: ProfileLimits) -> None:
        self._limits = limits
        self._count_by_tenant: Counter[str] = Counter()

    @contextlib.contextmanager
    def slot(self, tenant: str) -> Iterator[None]:
        """Leave to receive one; StatusError RESOURCE_EXHAUSTED where too many are being received."""
        if self._count_by_tenant[tenant] >= self._limits.uploads_of_tenant:
            raise quota_exceeded(tenant, f"uploads {self._limits.uploads_of_tenant} profiles already")
        if self._count_by_tenant.total() >= self._limits.uploads_at_once:
            raise quota_exceeded("this server", f"receives {self._limits.uploads_at_once} profiles already")
        self._count_by_tenant[tenant] += 1
        try:
            yield
        finally:
            self._count_by_tenant[tenant] -= 1
            if not self._count_by_tenant[tenant]:
                del self._count_by_tenant[tenant]

    async def receive(self, messages: _Messages, folder: Path) -> Upload:
        """Put the tables into `folder`, one file an operation.

        Raises
        ------
        StatusError
            INVALID_ARGUMENT: not as declared, too large, out of order. DEADLINE_EXCEEDED: too slow.
        """
        try:
            async with asyncio.timeout(self._limits.upload_s):
                return await self._receive(messages, folder)
        except TimeoutError:
            raise failure(
                code_pb2.DEADLINE_EXCEEDED, "UPLOAD_TOO_SLOW",
                f"the upload took over {self._limits.upload_s:g} s, this server's limit",
            ) from None  # fmt: skip
        except OSError as error:  # which names a path of this machine
            raise failure(
                code_pb2.UNAVAILABLE, "NO_ROOM", "the server cannot write what it receives; try again"
            ) from error

    async def _receive(self, messages: _Messages, folder: Path) -> Upload:
        first = await anext(messages, None)
        if first is None or first.WhichOneof("part") != "upload":
            raise invalid_argument("upload", "must be in the first message, before any chunk")
        declared, digest, received = first.upload, hashlib.sha256(), 0
        upload = self._checked(declared)
        files = _Files(folder, [(table.operation, table.size_bytes) for table in declared.tables])
        with contextlib.closing(files):
            async for message in messages:
                if message.WhichOneof("part") != "chunk":
                    raise invalid_argument("chunk", "must be in every message but the first")
                received += len(message.chunk)
                if received > declared.size_bytes:
                    raise invalid_argument("chunk", f"more than the {declared.size_bytes:,} bytes declared")
                digest.update(message.chunk)
                await asyncio.to_thread(files.write, message.chunk)
        if received < declared.size_bytes:
            raise invalid_argument(
                "chunk", f"{received:,} bytes came, {declared.size_bytes:,} were declared", "UPLOAD_TRUNCATED"
            )
        if digest.hexdigest() != declared.sha256:
            raise invalid_argument(
                "upload.sha256", f"what came has {digest.hexdigest()}: it was changed on its way", "CHECKSUM"
            )
        return upload

    def _checked(self, declared: profile_service_pb2.ProfileUpload) -> Upload:
        limits = self._limits
        name = parse_upload(declared.name, "upload.name")
        manifest_bytes = len(declared.manifest_json.encode())
        if not 0 < manifest_bytes <= limits.manifest_bytes:
            raise invalid_argument(
                "upload.manifest_json",
                f"has {manifest_bytes:,} bytes; this server takes 1 to {limits.manifest_bytes:,}",
            )
        if not 0 < declared.size_bytes <= limits.table_bytes:
            raise invalid_argument(
                "upload.size_bytes", f"{declared.size_bytes:,}; this server takes 1 to {limits.table_bytes:,}"
            )
        if not _SHA256.fullmatch(declared.sha256):
            raise invalid_argument("upload.sha256", "is not 64 lower-case hexadecimal digits")
        _check_tables(declared)
        return Upload(
            name=name,
            manifest_json=declared.manifest_json,
            operations=tuple(table.operation for table in declared.tables),
            replace_existing=declared.replace_existing,
            validate_only=declared.validate_only,
            request_id=checked_request_id(declared.request_id),
        )


def _check_tables(declared: profile_service_pb2.ProfileUpload) -> None:
    seen: set[str] = set()
    for i, table in enumerate(declared.tables):
        if table.operation not in OPERATIONS:
            raise _unknown_operation(i, table.operation)
        if table.operation in seen:
            raise invalid_argument(f"upload.tables[{i}].operation", f"a second table of {table.operation}")
        if table.size_bytes <= 0:
            raise invalid_argument(f"upload.tables[{i}].size_bytes", f"{table.size_bytes} is not positive")
        seen.add(table.operation)
    total = sum(table.size_bytes for table in declared.tables)
    if total != declared.size_bytes:
        raise invalid_argument(
            "upload.size_bytes", f"{declared.size_bytes:,}, but the tables have {total:,} bytes together"
        )


def _unknown_operation(index: int, name: str) -> StatusError:
    close = nearest(name, OPERATIONS)
    hint = f"; did you mean {close!r}?" if close else ""
    return invalid_argument(f"upload.tables[{index}].operation", f"no operation {name[:80]!r}{hint}")


class _Files:
    """Bytes dealt out to files one after the other."""

    def __init__(self, folder: Path, sizes: list[tuple[str, int]]) -> None:
        self._folder = folder
        self._coming = sizes[::-1]
        self._left = 0
        self._file: Any = None

    def write(self, data: bytes) -> None:
        """Write the next bytes, no more than there are places for."""
        rest = memoryview(data)
        while rest:
            if not self._left:
                self.close()
                operation, self._left = self._coming.pop()
                self._file = (self._folder / table_file(operation)).open("wb")
            part = rest[: self._left]
            self._file.write(part)
            self._left -= len(part)
            rest = rest[len(part) :]

    def close(self) -> None:
        """Close the file that is being written."""
        if self._file is not None:
            self._file.close()
            self._file = None
