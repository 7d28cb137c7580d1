"""Choices, not only errors: does the configuration we would pick keep its target, and is it a good one?"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Choice", "Option", "judge", "judge_by_chance"]

SMALLEST_GROUP = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One measured configuration of a group: tokens per second and GPU, TPOT with its 80 % interval."""

    group: str
    measured_tpot_ms: float
    predicted_tpot_ms: float
    measured_tokens_per_s_per_gpu: float
    predicted_tokens_per_s_per_gpu: float
    tpot_interval_ms: tuple[float, float]


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

    def worth(option: Option, target_ms: float) -> float:
        keeps = option.predicted_tpot_ms * margin <= target_ms
        return option.predicted_tokens_per_s_per_gpu if keeps else 0.0

    return _judged(options, worth)


def judge_by_chance(options: Sequence[Option]) -> Choice:
    """In each group pick the most tokens per second and GPU, times the chance that two runs keep the target.

    The chance is that of a log-normal error with the 80 % interval of the prediction: what hardly keeps the
    target is worth less than what surely does.
    """

    def worth(option: Option, target_ms: float) -> float:
        sd = math.log(option.tpot_interval_ms[1] / option.tpot_interval_ms[0]) / (2 * 1.2816)
        z = math.log(target_ms / option.predicted_tpot_ms) / sd
        chance = 0.5 * (1.0 + math.erf(z / math.sqrt(2.0)))
        return option.predicted_tokens_per_s_per_gpu * chance**2

    return _judged(options, worth)


def _judged(options: Sequence[Option], worth: Callable[[Option, float], float]) -> Choice:
    kept, best, groups = 0, 0, 0
    for name in sorted({o.group for o in options}):
        mine = [o for o in options if o.group == name]
        if len(mine) < SMALLEST_GROUP:
            continue
        target = float(np.median([o.measured_tpot_ms for o in mine]))
        pick = max(mine, key=lambda o: worth(o, target))
        if worth(pick, target) <= 0.0:
            continue
        groups += 1
        truly = [o for o in mine if o.measured_tpot_ms <= target]
        ranked = sorted(truly, key=lambda o: -o.measured_tokens_per_s_per_gpu)
        kept += pick.measured_tpot_ms <= target
        best += any(pick is o for o in ranked[:3])
    share = 100.0 / max(groups, 1)
    return Choice(groups, kept * share, best * share)
