"""Choices, not only errors: does the configuration we would pick keep its target, and is it a good one?"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Choice", "Option", "judge", "judge_by_chance", "one_each"]

SMALLEST_GROUP = 4
Z90 = 1.2815515655446004
"""Standard normal quantile of 90 %: an 80 % interval reaches so many standard deviations either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A measured configuration of a group, or one run of it.

    Parameters
    ----------
    group
        What is chosen within.
    configuration
        Engine, precision, parallelism and clients: what is chosen. Runs of one are told apart by nothing.
    tokens_per_s_per_gpu
        Output tokens per second and GPU as (measured, predicted).
    tpot_ms
        As (measured, predicted).
    tpot_interval_ms
        80 % interval of the prediction.
    """

    group: Hashable
    configuration: Hashable
    tokens_per_s_per_gpu: tuple[float, float]
    tpot_ms: tuple[float, float]
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


def one_each(options: Sequence[Option]) -> list[Option]:
    """One option a configuration: the mean of its runs, so that runs of one thing are not several choices."""
    runs: dict[tuple[Hashable, Hashable], list[Option]] = {}
    for option in options:
        runs.setdefault((option.group, option.configuration), []).append(option)

    def mean(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
        first, second = np.mean(pairs, axis=0).tolist()
        return first, second

    return [
        Option(
            group=group,
            configuration=configuration,
            tokens_per_s_per_gpu=mean([r.tokens_per_s_per_gpu for r in mine]),
            tpot_ms=mean([r.tpot_ms for r in mine]),
            tpot_interval_ms=mean([r.tpot_interval_ms for r in mine]),
        )
        for (group, configuration), mine in runs.items()
    ]


def judge(options: Sequence[Option], *, margin: float) -> Choice:
    """In each group pick the most tokens per second and GPU whose predicted TPOT × margin keeps the target.

    The target of a group is its median measured TPOT; groups of fewer than four configurations are left out,
    and so are those in which nothing is predicted to keep the target.
    """

    def worth(option: Option, target_ms: float) -> float:
        return option.tokens_per_s_per_gpu[1] if option.tpot_ms[1] * margin <= target_ms else 0.0

    return _judged(options, worth)


def judge_by_chance(options: Sequence[Option]) -> Choice:
    """In each group pick the most tokens per second and GPU, times the chance that two runs keep the target.

    The chance is that of a log-normal law with the bounds of the 80 % interval as its quantiles of 10 % and
    90 %: what hardly keeps the target is worth less than what surely does, and where predictions have been
    low the interval says so.
    """

    def worth(option: Option, target_ms: float) -> float:
        low, high = np.log(option.tpot_interval_ms).tolist()
        deviations = (math.log(target_ms) - (low + high) / 2) / ((high - low) / (2 * Z90))
        chance = 0.5 * (1.0 + math.erf(deviations / math.sqrt(2.0)))
        return option.tokens_per_s_per_gpu[1] * chance**2

    return _judged(options, worth)


def _judged(options: Sequence[Option], worth: Callable[[Option, float], float]) -> Choice:
    kept, best, groups = 0, 0, 0
    together: dict[Hashable, list[Option]] = {}
    for option in one_each(options):
        together.setdefault(option.group, []).append(option)
    for mine in together.values():
        if len(mine) < SMALLEST_GROUP:
            continue
        target = float(np.median([o.tpot_ms[0] for o in mine]))
        pick = max(mine, key=lambda o: worth(o, target))
        if worth(pick, target) <= 0.0:
            continue
        groups += 1
        truly = [o for o in mine if o.tpot_ms[0] <= target]
        ranked = sorted(truly, key=lambda o: -o.tokens_per_s_per_gpu[0])
        kept += pick.tpot_ms[0] <= target
        best += any(pick is o for o in ranked[:3])
    share = 100.0 / max(groups, 1)
    return Choice(groups, kept * share, best * share)
