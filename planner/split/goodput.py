"""Goodput: the highest rate at which enough requests meet their targets, by bisection on the simulator."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from planner.split.simulator import GiveUp, Served

__all__ = ["LatencyTargets", "bisect_rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyTargets:
    """Targets of a share of the requests.

    Parameters
    ----------
    ttft_ms, tpot_ms
        Targets; infinite for a phase that does not count.
    attainment
        Share of the requests that must meet them, 0 to 1.
    together
        ``both``: that share meets both at once (the paper's definition). ``each``: that share meets the one
        and that share the other (what its released search checks); never stricter.
    """

    ttft_ms: float
    tpot_ms: float
    attainment: float = 0.9
    together: Literal["both", "each"] = "both"

    def __post_init__(self) -> None:
        if not (self.ttft_ms > 0 and self.tpot_ms > 0 and 0 < self.attainment <= 1):
            raise InvalidInput("targets must be positive and the attainment a share above 0")

    def share(self, served: Served) -> float:
        """Share of the requests that meet the targets; with ``each`` the smaller of the two."""
        first, further = served.ttft_ms <= self.ttft_ms, served.tpot_ms <= self.tpot_ms
        if self.together == "both":
            return float(np.mean(first & further))
        return float(min(np.mean(first), np.mean(further)))

    def give_up(self, requests: int) -> GiveUp:
        """When a simulation of so many requests can stop because the targets are missed."""
        allowed = math.floor(requests * (1.0 - self.attainment) + 1e-9)
        return GiveUp(ttft_ms=self.ttft_ms, tpot_ms=self.tpot_ms, misses=allowed)

    def met(self, served: Served) -> bool:
        """Whether enough requests meet them."""
        return self.share(served) >= self.attainment - 1e-12


def bisect_rate(holds: Callable[[float], bool], *, highest: float, resolution: float) -> float:
    """The highest rate found at which `holds`, 0 when it does at none.

    Bisection between 0 and `highest` until the interval is not wider than `resolution`; the result is its
    lower end, a rate at which the targets were seen to be met (or `highest` itself).
    """
    if not (highest > 0 and resolution > 0):
        raise InvalidInput(
            f"the highest rate and the resolution must be positive, got {highest}, {resolution}"
        )
    if holds(highest):
        return highest
    low, high = 0.0, highest
    while high - low > resolution:
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
