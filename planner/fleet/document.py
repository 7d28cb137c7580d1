"""From the text of a fleet document to a `Fleet`."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from models.document import Document, InvalidDocument, read_document, validate
from models.document.reader import Path as DocumentPath
from models.errors import InvalidInput, UnknownName
from planner.fleet.fleet import Fleet

__all__ = ["fleet_schema", "read_document_file", "read_fleet", "read_fleet_file"]


def read_fleet(
    text: str, *, source: str | None = None, base_dir: Path | None = None, allow_files: bool = True
) -> Fleet:
    """Read a fleet document.

    Parameters
    ----------
    text
        YAML or JSON.
    source
        Name of the document, for messages.
    base_dir
        Folder that relative paths start from; default: the working directory.
    allow_files
        Whether the document may refer to files. A server says no: its files are not the sender's.

    Raises
    ------
    InvalidDocument
        Listing every mistake found, each with path and line.
    """
    from planner.fleet.resolve import Resolver
    from planner.fleet.schema import FleetEntry

    document = read_document(text, source=source)
    _check(document)
    entry = validate(document, FleetEntry)
    return Resolver(document=document, base_dir=base_dir or Path(), allow_files=allow_files).fleet(entry)


def read_fleet_file(path: Path | str) -> Fleet:
    """Read the fleet document in a file; paths in it are relative to its folder."""
    path = Path(path)
    return read_fleet(read_text(path), source=str(path), base_dir=path.parent)


def read_text(path: Path) -> str:
    """Return the text of a document file; raises `InvalidInput` with the reason when that is not possible."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot read the file: {error.strerror or error}", source=str(path)) from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the file is not UTF-8 text: {error.reason}", source=str(path)) from None


def read_document_file(path: Path | str) -> tuple[str, Fleet | None]:
    """Return the document in a file, with every file it refers to written into it, and its fleet.

    For a reader that may know GPUs which are not known here: where there are such, there is no fleet.

    Raises
    ------
    InvalidDocument
        Listing every other mistake found, each with path and line.
    """
    from planner.fleet.resolve import Resolver
    from planner.fleet.schema import FleetEntry

    path = Path(path)
    document = read_document(read_text(path), source=str(path))
    _check(document)
    entry = validate(document, FleetEntry)
    resolver = Resolver(document=document, base_dir=path.parent, allow_files=True)
    try:
        fleet = resolver.fleet(entry)
    except InvalidDocument as error:
        others = [fault for fault in error.violations if not _names_a_gpu(fault)]
        if others:
            raise InvalidDocument(others) from None
        return resolver.self_contained, None
    return fleet.self_contained, fleet


def _names_a_gpu(fault: InvalidInput) -> bool:
    return isinstance(fault, UnknownName) and fault.kind == "GPU"


@functools.cache
def fleet_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the fleet document."""
    from planner.fleet.schema import FleetEntry

    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **FleetEntry.model_json_schema()}


def _check(document: Document) -> None:
    """Refuse what no fleet document can be, before its schema is looked at."""
    if not isinstance(document.value, dict):
        raise InvalidInput(
            "a fleet document is a mapping with the keys fleet, pools, models, workloads",
            source=document.source,
            line=1,
        )
    odd = [path for path, value in _numbers(document.value, ()) if not math.isfinite(value)]
    if odd:
        raise InvalidDocument(document.error("must be a finite number", path) for path in odd)


def _numbers(value: Any, path: DocumentPath) -> Iterator[tuple[DocumentPath, float]]:
    """Every floating-point number in a document, with its path."""
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(item, (*path, key))
