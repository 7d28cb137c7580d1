"""Requests that come beside a request: see `models.serving.companions`."""

from __future__ import annotations

from typing import Any

from models.serving.companions import GROWTH, HALF
from models.serving.compiled import compiled

__all__ = ["companions"]


@compiled
def companions(expected: float, uneven: float) -> Any:
    """See `models.serving.companions.companions`."""
    if uneven < 0.0:
        return -min(expected, -uneven / 2.0)
    soon = expected**GROWTH
    return uneven / 2.0 * soon / (soon + HALF)
