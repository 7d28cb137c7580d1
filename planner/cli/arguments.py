"""Parsers of quantities in options: the unit may be written, and is where it is not obvious.

Only typer and the standard library at the top: every command imports this for ``fulcrum --help``.
"""

from __future__ import annotations

import re

import typer

__all__ = ["rate_per_s", "seconds"]

_NUMBER = re.compile(r"\s*[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?\s*")


def seconds(text: str | float) -> float:
    """``10``, ``10s``, ``2min``: seconds."""
    if isinstance(text, int | float) or _NUMBER.fullmatch(text):
        return float(text)
    from models.document import parse_duration_ms
    from models.errors import InvalidInput

    try:
        return parse_duration_ms(text) / 1e3
    except InvalidInput as error:
        raise typer.BadParameter(f"{error.message}; a bare number is seconds") from None


def rate_per_s(text: str | float) -> float:
    """``20``, ``20/s``, ``1200/min``: per second."""
    if isinstance(text, int | float) or _NUMBER.fullmatch(text):
        return float(text)
    from models.document import parse_rate_per_s
    from models.errors import InvalidInput

    try:
        return parse_rate_per_s(text)
    except InvalidInput as error:
        raise typer.BadParameter(f"{error.message}; a bare number is requests per second") from None
