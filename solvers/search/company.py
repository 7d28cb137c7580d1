"""Whom a search works beside: threads that come free later, and what others have found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.graph.space import Ints

__all__ = ["ALONE", "Company"]


def _all() -> int:
    return 1 << 30


@dataclass(frozen=True, slots=True)
class Company:
    """What a search asks the portfolio it belongs to, now and then.

    Parameters
    ----------
    threads
        How many threads it may use from now on; never fewer than before.
    better
        From the values of its goal tiers to an assignment (int32[n_objects]) that others have found and that
        is better, or None. Left out: there are no others.
    """

    threads: Callable[[], int] = _all
    better: Callable[[tuple[float, ...]], Ints | None] | None = None


ALONE = Company()
"""Nobody else; all threads from the start."""
