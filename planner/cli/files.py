"""Files that commands read and write."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import InvalidInput
from planner.cli.kinds import FLEET, PLAN, PROBLEM, expecting

if TYPE_CHECKING:
    from planner.fleet import Fleet
    from planner.plan import Plan
    from specs.document.read import AssignmentDocument

__all__ = [
    "check_writable",
    "read_fleet_document",
    "read_fleet_file",
    "read_plan",
    "read_problem_file",
    "write_text",
]


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; raises `InvalidInput` naming the file."""
    from planner.fleet.document import read_text
    from planner.plan import Plan

    with expecting(path, PLAN):
        return Plan.from_json(read_text(path), source=str(path))


def read_fleet_file(path: Path) -> Fleet:
    """Return the fleet of a document file; raises `InvalidInput` naming the file, and every mistake in it."""
    from planner.fleet import read_fleet_file as read

    with expecting(path, FLEET):
        return read(path)


def read_fleet_document(path: Path) -> tuple[str, Fleet | None]:
    """Return the document in a file, for a server, with its files in it, and the fleet, if all its GPUs are
    known here.
    """
    from planner.fleet.document import read_document_file

    with expecting(path, FLEET):
        return read_document_file(path)


def read_problem_file(path: Path) -> AssignmentDocument:
    """Return the assignment problem in a file; raises `InvalidInput` naming the file."""
    from specs.document import load_problem

    with expecting(path, PROBLEM):
        return load_problem(path)


def check_writable(path: Path | None) -> None:
    """Refuse a path that cannot be written, before the work whose result goes there; None: nothing to write.

    Raises
    ------
    InvalidInput
        There is no such folder, it may not be written in, or the path is a folder.
    """
    if path is None:
        return
    problem = ""
    if path.is_dir():
        problem = "is a folder; add a file name"
    elif not path.parent.is_dir():
        problem = f"the folder {path.parent} does not exist"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        problem = "permission denied"
    if problem:
        raise InvalidInput(f"cannot write the file: {problem}", source=str(path))


def write_text(path: Path, text: str) -> None:
    """Write a file at once: whoever reads it sees the old text or the new one, never half of it."""
    try:
        if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
            path.write_text(text, encoding="utf-8")
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as draft:
            draft.write(text)
        # The permissions a plain open() would have given.
        umask = os.umask(0)
        os.umask(umask)
        Path(draft.name).chmod(0o666 & ~umask)
        Path(draft.name).replace(path)
    except OSError as error:
        raise InvalidInput(f"cannot write the file: {error.strerror or error}", source=str(path)) from None
