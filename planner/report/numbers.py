"""Numbers as people read them."""

from __future__ import annotations

__all__ = ["duration", "money", "rate", "share"]


def duration(ms: float | None) -> str:
    """Milliseconds below a second, seconds above, three digits: ``38.2 ms``, ``1.25 s``."""
    if ms is None:
        return "–"
    value, unit = (ms / 1e3, "s") if ms >= 999.5 else (ms, "ms")
    return f"{_digits(value)} {unit}"


def rate(per_s: float) -> str:
    """Requests per second: ``13.2/s``."""
    return f"{_digits(per_s)}/s"


def money(per_hour: float) -> str:
    """Price per hour, two decimals."""
    return f"{per_hour:,.2f}/h"


def share(value: float | None) -> str:
    """Per cent: ``0 %``, ``0.25 %``, ``12 %``."""
    if value is None:
        return "unproven"
    percent = 100 * value
    return f"{percent:.0f} %" if percent < 0.005 or percent >= 10 else f"{percent:.2g} %"


def _digits(value: float) -> str:
    """Three significant digits without an exponent; whole numbers from 100 on."""
    if value >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
