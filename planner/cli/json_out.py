"""Results as JSON on standard output: dataclasses by their fields, arrays as lists, paths as text."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from pathlib import Path
from typing import Any

import typer

__all__ = ["echo_json", "plain"]


def echo_json(value: Any) -> None:
    """Print a value as JSON, indented, with one newline at the end."""
    typer.echo(json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """Return a value as what JSON has; a number that is none becomes null.

    Raises
    ------
    TypeError
        For what has no plain form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):  # NumPy, not imported here
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} has no plain form")
