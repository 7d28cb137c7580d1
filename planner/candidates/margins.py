"""How far a prediction must stay below a target for measurements to keep it with a stated confidence."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

from models.serving import Targets
from models.serving.calibration import Spread, calibration

__all__ = ["tightened", "upper_factor"]

UPPER = NormalDist().inv_cdf(0.9)
"""A `Spread` runs from the 10 % to the 90 % quantile."""


def upper_factor(spread: Spread, confidence: float) -> float:
    """Measured ÷ predicted that is not exceeded with that probability, but no less than 1.

    The logarithm of the ratio is taken to be normal with the two quantiles of the spread: at 0.9 the factor
    is the upper quantile itself.
    """
    low, high = math.log(spread.low), math.log(spread.high)
    middle, deviation = (low + high) / 2, (high - low) / (2 * UPPER)
    return max(1.0, math.exp(middle + deviation * NormalDist().inv_cdf(confidence)))


def tightened(targets: Targets, *, engine: str, generation: str, confidence: float | None) -> Targets:
    """The targets that predictions for an engine on a GPU generation must keep; unchanged without a wish."""
    if confidence is None:
        return targets
    known = calibration(engine, generation)
    return replace(
        targets,
        ttft_ms=targets.ttft_ms / upper_factor(known.ttft, confidence),
        tpot_ms=targets.tpot_ms / upper_factor(known.tpot, confidence),
    )
