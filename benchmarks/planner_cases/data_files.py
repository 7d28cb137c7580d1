"""Where the shared measurement files are."""

from __future__ import annotations

import os
from pathlib import Path

from models.errors import Unavailable

__all__ = ["data_file"]


def data_file(name: str) -> Path:
    """A file below ``FULCRUM_DATA`` (default: ``../shared/data`` beside the project).

    Raises
    ------
    Unavailable
        It is not there; docs/resharding.md says where each file can be fetched.
    """
    default = Path(__file__).parents[3] / "shared" / "data"
    path = Path(os.environ.get("FULCRUM_DATA", default)) / name
    if not path.exists():
        raise Unavailable(f"the data file {name} is not there: set FULCRUM_DATA to the folder that holds it")
    return path
