"""What a case reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Comparison"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came out beside what was published; values are JSON.

    Parameters
    ----------
    case, source
        Name of the case and where the published figures stand.
    published, measured
        By the same keys.
    agrees
        For each claim that was checked: whether it holds here.
    assumed
        What the source leaves open, and what was taken instead.
    notes
        What a reader must know before quoting the figures.
    """

    case: str
    source: str
    published: dict[str, Any]
    measured: dict[str, Any]
    agrees: dict[str, bool]
    assumed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
