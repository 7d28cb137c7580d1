"""Files that commands read and write."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import InvalidInput

if TYPE_CHECKING:
    from planner.plan import Plan

__all__ = ["read_plan", "write_text"]


def read_plan(path: Path) -> Plan:
    """Return the plan in a file; raises `InvalidInput` naming the file."""
    from planner.fleet.document import read_text
    from planner.plan import Plan

    return Plan.from_json(read_text(path), source=str(path))


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
