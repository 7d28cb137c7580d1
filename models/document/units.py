"""Quantities as people write them: a number with its unit, never a bare number whose unit must be guessed."""

from __future__ import annotations

import math
import re

from models.errors import InvalidInput

__all__ = ["parse_bandwidth_bytes_per_s", "parse_duration_ms", "parse_fraction", "parse_rate_per_s"]

_QUANTITY = re.compile(r"\s*([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*([^\s0-9].*?)?\s*")
_MS_PER = {"us": 1e-3, "ms": 1.0, "s": 1e3, "min": 60e3, "h": 3600e3}
_BYTES_PER_S = {
    "kB/s": 1e3, "MB/s": 1e6, "GB/s": 1e9, "TB/s": 1e12, "Mbit/s": 125e3, "Gbit/s": 125e6,
}  # fmt: skip
_S_PER = {"s": 1.0, "min": 60.0, "h": 3600.0}


def parse_duration_ms(value: object) -> float:
    """Read a positive duration such as ``30ms``, ``1.5 s`` or ``2min``, in milliseconds."""
    bare = isinstance(value, int | float) and not isinstance(value, bool)
    number, unit = _split(str(value) if bare else value, "a duration with its unit, such as 30ms or 1s")
    if not unit:
        raise InvalidInput(
            f"{_shown(value)} needs one of the units {', '.join(_MS_PER)}: {number:g}s "
            f"({1e3 * number:g}ms) or {number:g}ms?"
        )
    if unit not in _MS_PER:
        raise InvalidInput(f"{_shown(value)} needs one of the units {', '.join(_MS_PER)}, as in 30ms")
    return _positive(number * _MS_PER[unit], value)


def parse_rate_per_s(value: object) -> float:
    """Read a positive arrival rate such as ``8/s``, ``480/min`` or ``1200/h``, in requests per second."""
    number, unit = _split(value, "a rate with its unit, such as 8/s or 480/min")
    if not unit.startswith("/") or unit[1:].strip() not in _S_PER:
        raise InvalidInput(f"{_shown(value)} needs one of the units /s, /min, /h, as in 8/s")
    return _positive(number / _S_PER[unit[1:].strip()], value)


def parse_bandwidth_bytes_per_s(value: object) -> float:
    """Read a positive bandwidth such as ``25GB/s`` or ``400 Gbit/s``, in bytes per second."""
    number, unit = _split(value, "a bandwidth with its unit, such as 25GB/s or 400Gbit/s")
    if unit not in _BYTES_PER_S:
        known = ", ".join(_BYTES_PER_S)
        raise InvalidInput(f"{_shown(value)} needs one of the units {known}, as in 25GB/s")
    return _positive(number * _BYTES_PER_S[unit], value)


def parse_fraction(value: object) -> float:
    """Read a share such as ``10%`` or ``0.1``, between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InvalidInput(f"expected a share such as 10% or 0.1, got {_shown(value)}")
    number, unit = (float(value), "") if not isinstance(value, str) else _split(value, "a share such as 10%")
    if unit not in ("", "%"):
        raise InvalidInput(f"expected a share such as 10% or 0.1, got {_shown(value)}")
    share = number / 100 if unit == "%" else number
    if not 0 <= share <= 1:
        percent = f"; {number:g} per cent is '{number:g}%'" if 1 < number <= 100 and not unit else ""
        raise InvalidInput(f"a share lies between 0 and 1 (0% and 100%), got {_shown(value)}{percent}")
    return share


def _split(value: object, expected: str) -> tuple[float, str]:
    """Split text into number and unit; the unit may be empty."""
    matched = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if matched is None:
        raise InvalidInput(f"expected {expected}, got {_shown(value)}")
    return float(matched[1]), (matched[2] or "")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _positive(number: float, value: object) -> float:
    if not (math.isfinite(number) and number > 0):
        raise InvalidInput(f"must be above zero and finite, got {_shown(value)}")
    return number
