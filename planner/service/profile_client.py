"""Profiles of a server: what ``fulcrum profile … --server`` does."""

from __future__ import annotations

import datetime
import hashlib
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from models.errors import InvalidInput, Unavailable
from models.profiles.schema import operation
from models.profiles.store import MANIFEST_FILE, read_profile
from planner.service.channel import open_channel
from planner.service.client_errors import error_of, is_passing
from planner.service.profile_check import table_file
from planner.service.protos import profile_service_pb2 as pb
from planner.service.protos import profile_service_pb2_grpc as profile_grpc

__all__ = ["ProfileClient", "ServerProfile", "ServerTable", "ServerValidation", "TableError"]

_T = TypeVar("_T")
_CALL_S = 60.0
_UPLOAD_S = 600.0
_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTable:
    """A table of a profile at a server, without its numbers."""

    operation: str
    row_count: int
    basis: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """A profile at a server; `origin` is ``server`` or ``uploaded``, the last three are of uploads only."""

    name: str
    gpu: str
    device: str
    basis: str
    source: str
    licence: str
    created: str
    origin: str
    sha256: str
    tables: tuple[ServerTable, ...]
    size_bytes: int
    uploaded: str
    uploader: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableError:
    """How well a table predicts points left out of it; None where no point was tested."""

    operation: str
    row_count: int
    tested_count: int
    median_error_ratio: float | None
    p90_error_ratio: float | None
    max_error_ratio: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerValidation:
    """How far the tables of a profile can be trusted."""

    name: str
    tables: tuple[TableError, ...]
    warnings: tuple[str, ...]


class ProfileClient:
    """One server. A context manager.

    Every method raises `InvalidInput` for what the server refuses, `Unavailable` where it cannot be reached,
    has no such profile, or does not let us.

    Parameters
    ----------
    address, authorities, token
        As in `planner.service.channel.open_channel`.
    patience_s
        How long an unreachable server is tried again.
    """

    def __init__(
        self,
        address: str,
        *,
        authorities: Path | None = None,
        token: str | None = None,
        patience_s: float = 30.0,
    ) -> None:
        self.address = address
        self._patience_s = patience_s
        self._channel = open_channel(address, authorities=authorities, token=token)
        self._stub = profile_grpc.ProfileServiceStub(self._channel)  # type: ignore[no-untyped-call]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close()

    def upload(
        self, folder: Path, *, name: str, replace_existing: bool = False, validate_only: bool = False
    ) -> ServerProfile:
        """Have the server keep the profile in a folder, which is checked here first."""
        profile = read_profile(folder, eager=True)
        tables = {
            key: (folder / entry.file).read_bytes() for key, entry in sorted(profile.manifest.tables.items())
        }
        digest = hashlib.sha256()
        for data in tables.values():
            digest.update(data)
        declared = pb.ProfileUpload(
            name=_resource(name),
            manifest_json=(folder / MANIFEST_FILE).read_text(encoding="utf-8"),
            tables=[
                pb.ProfileUploadTable(operation=key, size_bytes=len(data)) for key, data in tables.items()
            ],
            size_bytes=sum(map(len, tables.values())),
            sha256=digest.hexdigest(),
            replace_existing=replace_existing,
            validate_only=validate_only,
            request_id=str(uuid.uuid4()),  # so that sending it again keeps it once
        )

        def send() -> Any:
            return self._stub.UploadProfile(_messages(declared, tables), timeout=_UPLOAD_S)

        return _profile(self._patiently(send, source=str(folder)))

    def all(self) -> Iterator[ServerProfile]:
        """Every profile, by name."""
        token = ""
        while True:
            request = pb.ListProfilesRequest(page_token=token)
            page = self._patiently(lambda: self._stub.ListProfiles(request, timeout=_CALL_S))  # noqa: B023
            yield from map(_profile, page.profiles)
            if not (token := page.next_page_token):
                return

    def get(self, name: str) -> ServerProfile:
        """One profile."""
        request = pb.GetProfileRequest(name=_resource(name))
        return _profile(self._patiently(lambda: self._stub.GetProfile(request, timeout=_CALL_S)))

    def validate(self, name: str) -> ServerValidation:
        """Have every point left out once; takes as long as the server lets it."""
        request = pb.ValidateProfileRequest(name=_resource(name))
        found = self._patiently(lambda: self._stub.ValidateProfile(request))
        return ServerValidation(
            name=name,
            tables=tuple(
                TableError(
                    operation=table.operation,
                    row_count=table.row_count,
                    tested_count=table.tested_count,
                    median_error_ratio=_known(table, "median_error_ratio"),
                    p90_error_ratio=_known(table, "p90_error_ratio"),
                    max_error_ratio=_known(table, "max_error_ratio"),
                )
                for table in found.tables
            ),
            warnings=tuple(found.warnings),
        )

    def download(self, name: str, folder: Path) -> None:
        """Write what was uploaded into a new folder: whole, or not at all."""
        if folder.exists():
            raise InvalidInput(f"{folder} exists; choose another place")
        folder = folder.absolute()
        folder.parent.mkdir(parents=True, exist_ok=True)
        request = pb.DownloadProfileRequest(name=_resource(name))
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
        try:
            self._patiently(lambda: _receive(self._stub.DownloadProfile(request, timeout=_UPLOAD_S), draft))
            draft.chmod(0o755)  # mkdtemp makes private folders
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def delete(self, name: str, *, allow_missing: bool = False) -> None:
        """Have the server forget an upload."""
        request = pb.DeleteProfileRequest(name=_resource(name), allow_missing=allow_missing)
        self._patiently(lambda: self._stub.DeleteProfile(request, timeout=_CALL_S))

    def _patiently(self, call: Callable[[], _T], source: str | None = None) -> _T:
        """Call; where the server is away, again for a while."""
        end_s, pause_s = time.monotonic() + self._patience_s, 0.1
        while True:
            try:
                return call()
            except grpc.RpcError as error:
                if not is_passing(error) or time.monotonic() + pause_s > end_s:
                    raise error_of(error, source=source, address=self.address) from None
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 2.0)


def _messages(declared: pb.ProfileUpload, tables: Mapping[str, bytes]) -> Iterator[pb.UploadProfileRequest]:
    yield pb.UploadProfileRequest(upload=declared)
    for data in tables.values():
        for at in range(0, len(data), _CHUNK_BYTES):
            yield pb.UploadProfileRequest(chunk=data[at : at + _CHUNK_BYTES])


def _receive(responses: Iterator[pb.DownloadProfileResponse], folder: Path) -> None:
    """Write the files; Unavailable where they are not what they are said to be."""
    upload, data, digest = next(responses).upload, bytearray(), hashlib.sha256()
    tables: Sequence[pb.ProfileUploadTable] = upload.tables
    for response in responses:
        data += response.chunk
    digest.update(data)
    if digest.hexdigest() != upload.sha256 or len(data) != sum(table.size_bytes for table in tables):
        raise Unavailable("what came is not what the server said it would send; try again")
    at = 0
    for table in tables:
        name = operation(table.operation).name  # no other name becomes a path
        (folder / table_file(name)).write_bytes(data[at : at + table.size_bytes])
        at += table.size_bytes
    (folder / MANIFEST_FILE).write_text(upload.manifest_json, encoding="utf-8")


def _resource(name: str) -> str:
    return name if name.startswith("profiles/") else f"profiles/{name}"


def _profile(message: pb.Profile) -> ServerProfile:
    when = ""
    if message.HasField("upload_time"):
        seconds = message.upload_time.ToNanoseconds() / 1e9
        when = datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
    return ServerProfile(
        name=message.name.removeprefix("profiles/"),
        gpu=message.gpu,
        device=message.device,
        basis=_word(pb.ProfileBasis, message.basis),
        source=message.source,
        licence=message.licence,
        created=message.created,
        origin=_word(pb.ProfileOrigin, message.origin),
        sha256=message.sha256,
        tables=tuple(
            ServerTable(
                operation=table.operation,
                row_count=table.row_count,
                basis=_word(pb.ProfileBasis, table.basis),
                source=table.source,
            )
            for table in message.tables
        ),
        size_bytes=message.size_bytes,
        uploaded=when,
        uploader=message.uploader,
    )


def _word(kind: Any, number: int) -> str:
    """``PROFILE_BASIS_MEASURED`` as ``measured``."""
    return str(kind.Name(number)).split("_", 2)[2].lower()


def _known(message: Any, field: str) -> float | None:
    return float(getattr(message, field)) if message.HasField(field) else None
