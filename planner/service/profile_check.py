"""An uploaded profile read for the first time, in a worker process: nothing in it is believed.

The server has put the bytes into a folder of its own, one file an operation. What is checked here is all that
reading a profile relies on; memory and processor time are limited from outside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import InvalidInput

if TYPE_CHECKING:
    from models.profiles.manifest import TableEntry

__all__ = ["CheckedProfile", "ProfileToCheck", "check_profile", "table_file"]

_DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileToCheck:
    """What came.

    Parameters
    ----------
    folder
        Has the tables under the names that `table_file` gives them.
    row_count, unpacked_bytes
        Most rows, and most bytes after decompression, of all tables together.
    """

    folder: str
    manifest_json: str
    row_count: int
    unpacked_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedProfile:
    """What is kept of the manifest, and the digest of the profile."""

    manifest_json: str
    digest: str


def table_file(operation: str) -> str:
    """Name of the file of an operation's table in a folder of the server's."""
    return f"{operation}.parquet"


def check_profile(asked: ProfileToCheck) -> CheckedProfile:
    """Read everything.

    Raises
    ------
    InvalidInput
        Something is not as a profile must be; it names no path of this machine.
    """
    from models.hardware import gpu
    from models.profiles.digest import profile_digest
    from models.profiles.manifest import Manifest
    from models.profiles.store import Profile

    try:
        manifest = Manifest.from_json(_json(asked.manifest_json), source="")
        if manifest.gpu:
            gpu(manifest.gpu)
        if not manifest.tables:
            raise InvalidInput("the manifest has no tables", path=("tables",))
        manifest = manifest.with_tables(
            {name: replace(entry, file=table_file(name)) for name, entry in manifest.tables.items()}
        )
        _check_sizes(asked, manifest.tables)
        for _ in Profile(manifest, Path(asked.folder)).tables():
            pass
    except InvalidInput as error:
        error.source = None
        raise
    text = json.dumps(manifest.to_json(), indent=2, ensure_ascii=False) + "\n"
    return CheckedProfile(manifest_json=text, digest=profile_digest(manifest))


def _json(text: str) -> Any:
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidInput(f"the manifest is no JSON that can be read: {error}") from None
    level = [data]
    for _ in range(_DEEPEST):
        level = [item for value in level for item in _items(value)]
    if level:
        raise InvalidInput(f"the manifest is nested more than {_DEEPEST} levels deep")
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidInput("the manifest has half of a surrogate pair in it") from None
    return data


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _check_sizes(asked: ProfileToCheck, tables: Mapping[str, TableEntry]) -> None:
    """Refuse small files that say they become large, before they do."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = unpacked = 0
    for name, entry in tables.items():
        try:
            with (Path(asked.folder) / entry.file).open("rb") as file, pq.ParquetFile(file) as parquet:
                metadata = parquet.metadata
                groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
                sizes = [group.total_byte_size for group in groups]
        except OSError as error:  # its text names the file
            raise InvalidInput("the manifest has a table that was not sent", path=("tables", name)) from error
        except pa.ArrowException as error:
            raise InvalidInput(f"not a readable Parquet file: {error}", path=("tables", name)) from None
        counts = [group.num_rows for group in groups]
        if metadata.num_rows != entry.rows or sum(counts) != entry.rows or min([*sizes, *counts, 0]) < 0:
            raise InvalidInput(
                f"{metadata.num_rows} rows, the manifest says {entry.rows}", path=("tables", name)
            )
        rows, unpacked = rows + entry.rows, unpacked + sum(sizes)
        if rows > asked.row_count or unpacked > asked.unpacked_bytes:
            raise InvalidInput(
                f"up to here {rows:,} rows and {unpacked:,} bytes unpacked; "
                f"this server takes {asked.row_count:,} rows and {asked.unpacked_bytes:,} bytes",
                path=("tables", name),
            )
