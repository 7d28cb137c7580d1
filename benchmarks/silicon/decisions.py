"""Choices, not only errors: does the configuration we would pick keep its target, and is it a good one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Choice", "Option", "judge"]

SMALLEST_GROUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One measured configuration of a group: tokens per second and GPU, and TPOT, measured and predicted."""

    group: str
    measured_tpot_ms: float
    predicted_tpot_ms: float
    measured_tokens_per_s_per_gpu: float
    predicted_tokens_per_s_per_gpu: float


@dataclass(frozen=True, slots=True)
class Choice:
    """Over groups with a choice, in per cent of them.

    Parameters
    ----------
    groups
        Groups in which something was picked.
    keeps_target
        The pick's measured TPOT keeps the target.
    top_three
        The pick is among the three best by measured throughput of those that truly keep the target.
    """

    groups: int
    keeps_target: float
    top_three: float


def judge(options: Sequence[Option], *, margin: float) -> Choice:
    """In each group pick the most tokens per second and GPU whose predicted TPOT × margin keeps the target.

    The target of a group is its median measured TPOT; groups of fewer than four configurations are left out,
    and so are those in which nothing is predicted to keep the target.
    """
    kept, best, groups = 0, 0, 0
    for name in sorted({o.group for o in options}):
        mine = [o for o in options if o.group == name]
        if len(mine) < SMALLEST_GROUP:
            continue
        target = float(np.median([o.measured_tpot_ms for o in mine]))
        allowed = [o for o in mine if o.predicted_tpot_ms * margin <= target]
        if not allowed:
            continue
        groups += 1
        pick = max(allowed, key=lambda o: o.predicted_tokens_per_s_per_gpu)
        truly = [o for o in mine if o.measured_tpot_ms <= target]
        ranked = sorted(truly, key=lambda o: -o.measured_tokens_per_s_per_gpu)
        kept += pick.measured_tpot_ms <= target
        best += pick in ranked[:3]
    share = 100.0 / max(groups, 1)
    return Choice(groups, kept * share, best * share)
