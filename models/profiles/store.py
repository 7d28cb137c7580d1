"""Profile folders on disk: ``manifest.json`` and one Parquet file per operation.

A folder is written beside its final place and moved there, so a reader sees the old profile, the new one
or none, never a half-written one. Every file is checked against its SHA-256 when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from glob import escape as glob_escape
from pathlib import Path

from models.errors import InvalidInput, Unavailable, UnknownName
from models.profiles.manifest import Basis, Manifest, TableEntry
from models.profiles.parquet import read_table, write_table
from models.profiles.schema import operation
from models.profiles.table import OperationTable

__all__ = [
    "MANIFEST_FILE",
    "Profile",
    "list_profiles",
    "read_manifest",
    "read_profile",
    "recover_folder",
    "write_profile",
]

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """A manifest with its tables; tables of a profile on disk are read when first asked for."""

    manifest: Manifest
    folder: Path | None = None
    _tables: dict[str, OperationTable] = field(default_factory=dict, repr=False)

    @property
    def operations(self) -> tuple[str, ...]:
        """Names of the operations it has, sorted."""
        return tuple(sorted(set(self.manifest.tables) | set(self._tables)))

    def __contains__(self, name: str) -> bool:
        return name in self.operations

    def table(self, name: str) -> OperationTable:
        """The table of an operation.

        Raises
        ------
        UnknownName
            No such operation exists.
        Unavailable
            The profile does not have it.
        InvalidInput
            The file is damaged.
        """
        if name not in self._tables:
            operation(name)
            entry = self.manifest.tables.get(name)
            if entry is None or self.folder is None:
                have = ", ".join(self.operations) or "nothing"
                raise Unavailable(
                    f"profile {self.manifest.name!r} has no {name} table (it has {have}); "
                    "measure it with `fulcrum profile run` or choose another profile"
                )
            self._tables[name] = _read_checked(self.folder, name, entry)
        return self._tables[name]

    def tables(self) -> Iterator[OperationTable]:
        """Every table, in name order."""
        for name in self.operations:
            yield self.table(name)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_checked(folder: Path, name: str, entry: TableEntry) -> OperationTable:
    path = folder / entry.file
    if Path(entry.file).name != entry.file:
        raise InvalidInput(
            f"file {entry.file!r} must lie in the profile's folder", path=("tables", name), source=str(folder)
        )
    if not path.is_file():
        raise InvalidInput("the manifest names this file, but it is not there", source=str(path))
    found = _sha256(path)
    if found != entry.sha256:
        raise InvalidInput(
            f"checksum {found[:12]}… differs from the manifest's {entry.sha256[:12]}…: the file was changed "
            "or damaged; copy or measure the profile again",
            source=str(path),
        )
    table = read_table(path, name)
    if len(table) != entry.rows:
        raise InvalidInput(f"{len(table)} rows, the manifest says {entry.rows}", source=str(path))
    return table


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a profile folder; raises `Unavailable` (no profile there) or `InvalidInput`."""
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise Unavailable(f"no profile in {folder}: {MANIFEST_FILE} is not there")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"not JSON: {error}", source=str(path)) from error
    return Manifest.from_json(data, source=str(path))


def read_profile(folder: Path, *, eager: bool = False) -> Profile:
    """Open a profile folder.

    Parameters
    ----------
    eager
        Read and check every table now, rather than when it is first asked for.

    Raises
    ------
    Unavailable
        There is no profile.
    InvalidInput
        The manifest or (with `eager`) a table is damaged.
    """
    profile = Profile(read_manifest(folder), folder)
    if eager:
        for _ in profile.tables():
            pass
    return profile


def write_profile(
    folder: Path,
    manifest: Manifest,
    tables: Mapping[str, OperationTable],
    *,
    sources: Mapping[str, tuple[Basis, str]] | None = None,
    replace_existing: bool = False,
) -> Manifest:
    """Write a profile folder, whole or not at all.

    Parameters
    ----------
    manifest
        Its ``tables`` are ignored and made anew.
    tables
        By operation name; at least one. Rows are sorted by key, so equal tables give equal bytes.
    sources
        (basis, source) of tables that differ from the manifest's own.
    replace_existing
        Allow an existing profile in `folder` to be replaced; anything else there is never touched.

    Returns
    -------
    Manifest
        As written, with file names and checksums.
    """
    if not tables:
        raise InvalidInput(f"profile {manifest.name!r} has no tables; nothing was written")
    for name, table in tables.items():
        if table.schema.name != name:
            raise InvalidInput(f"table {name!r} holds {table.schema.name} points")
    for name in sources or {}:
        if name not in tables:
            raise UnknownName("table", name, tables, path=("sources",))
    folder = folder.absolute()
    if folder.exists():
        if not replace_existing:
            raise InvalidInput(f"{folder} exists; choose another place or ask for it to be replaced")
        if not (folder / MANIFEST_FILE).is_file():
            raise InvalidInput(f"{folder} exists and is no profile; it was left alone")
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    try:
        entries: dict[str, TableEntry] = {}
        for name in sorted(tables):
            file = f"{name}.parquet"
            write_table(tables[name].sorted(), fresh / file)
            basis, source = (sources or {}).get(name, (manifest.basis, manifest.source))
            entries[name] = TableEntry(
                file=file, rows=len(tables[name]), sha256=_sha256(fresh / file), basis=basis, source=source
            )
        written = replace(manifest, tables=entries)
        text = json.dumps(written.to_json(), indent=2, ensure_ascii=False, sort_keys=False) + "\n"
        with (fresh / MANIFEST_FILE).open("w", encoding="utf-8") as file_:
            file_.write(text)
            file_.flush()
            os.fsync(file_.fileno())
        fresh.chmod(0o755)  # mkdtemp makes private folders
        _move_into_place(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return written


def _move_into_place(fresh: Path, folder: Path) -> None:
    """Swap by two renames; between them the profile is absent, and the old one waits under a hidden name."""
    old = folder.parent / f".{folder.name}.old-{os.getpid()}"
    if folder.exists():
        folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
    descriptor = os.open(folder.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def recover_folder(folder: Path) -> None:
    """Undo what a kill left of `write_profile`: put a moved-away profile back, remove half-written folders.

    Only for a caller that knows nobody else is writing this profile.
    """
    folder = folder.absolute()
    for old in sorted(folder.parent.glob(f".{glob_escape(folder.name)}.old-*")):
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(folder)
    for fresh in folder.parent.glob(f".{glob_escape(folder.name)}.new-*"):
        shutil.rmtree(fresh, ignore_errors=True)


def list_profiles(root: Path) -> tuple[Path, ...]:
    """Folders directly under `root` that hold a manifest, sorted; empty when `root` does not exist."""
    if not root.is_dir():
        return ()
    return tuple(sorted(p.parent for p in root.glob(f"[!.]*/{MANIFEST_FILE}")))
