"""Every measured point, on disk before the next one starts: what makes a run resumable after any
interruption.

A journal is a file of JSON lines beside the profile. The first line says what is being measured; each
further line is a point, appended and flushed to the disk in one write. A line cut short by a kill is
dropped when the journal is opened again. The profile itself is made from the journal at the end, whole or
not at all.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from models.errors import InvalidInput, Unavailable
from profiler.job import Point

__all__ = ["Entry", "Journal", "journal_path"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One point that was tried.

    Parameters
    ----------
    refused
        Why there is no value; then the other numbers are NaN.
    cost_seconds
        Wall time it took, set-up included.
    """

    operation: str
    point: Point
    value: float = math.nan
    p10: float = math.nan
    p90: float = math.nan
    samples: int = 0
    contended: bool = False
    sm_clock_mhz: float = math.nan
    temperature_c: float = math.nan
    kernel: str = ""
    cost_seconds: float = 0.0
    refused: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values; unknown numbers are left out."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {k: v for k, v in record.items() if not (isinstance(v, float) and math.isnan(v))}


def journal_path(profile: Path) -> Path:
    """Where the journal of a profile folder lies: beside it, hidden."""
    return profile.absolute().parent / f".{profile.name}.journal"


class Journal:
    """An open journal, locked against a second run; use as a context manager.

    Parameters
    ----------
    path
        The file; made when absent.
    identity
        What is measured: device, libraries, … A journal of something else is refused.

    Raises
    ------
    Unavailable
        Another process has it open.
    InvalidInput
        It is of another device or damaged in the middle.
    """

    def __init__(self, path: Path, identity: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise Unavailable(
                f"another run is writing {path}; wait for it or choose another --out"
            ) from error
        try:
            self.entries: list[Entry] = self._recover(identity)
        except BaseException:
            os.close(self._file)
            raise

    def _recover(self, identity: dict[str, Any]) -> list[Entry]:
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):  # a write that a kill cut short
            os.ftruncate(self._file, whole)
        records = []
        for number, line in enumerate(data[:whole].split(b"\n")[:-1], start=1):
            try:
                records.append(json.loads(line))
            except ValueError as error:
                raise InvalidInput(
                    "this line of the journal is damaged; start over with --fresh",
                    source=str(self.path),
                    line=number,
                ) from error
        if not records:
            self._write({"journal": 1, **identity})
            return []
        for key, value in identity.items():
            if records[0].get(key) != value:
                raise InvalidInput(
                    f"an unfinished run measured {key} {records[0].get(key)!r}, now it is {value!r}; "
                    "choose another --out, or discard it with --fresh",
                    source=str(self.path),
                )
        try:
            return [Entry(**record) for record in records[1:]]
        except TypeError as error:
            raise InvalidInput(
                f"a journal of another version ({error}); start over with --fresh", source=str(self.path)
            ) from error

    def _write(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        os.write(self._file, line.encode())
        os.fsync(self._file)

    def append(self, entry: Entry) -> None:
        """Record a point; it is on the disk when this returns."""
        self._write(entry.to_json())
        self.entries.append(entry)

    def discard(self) -> None:
        """Remove the file: its points are in the profile now."""
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)
