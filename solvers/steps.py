"""The step that all values of a goal tier are multiples of; bounds may be rounded up to one."""

from __future__ import annotations

import math

from models.graph import Tier

__all__ = ["lifted_bound", "tier_step"]

_PER_UNIT = 10**6
"""Weights with more than six decimals have no step."""
_ROUNDING = 1e-3
"""How far, as a part of the step, a bound may lie above a multiple and still count as that multiple."""


def tier_step(tier: Tier) -> float:
    """The largest amount that all values of `tier` are multiples of; 0.0 when none is known.

    Nodes that are whole numbers in every assignment times weights with at most six decimals: the greatest
    common divisor of the weights. Machine reassignment, for one, has the step 1: a bound less than 1 below
    the value proves it.
    """
    step = 0
    for term in tier.terms:
        if not term.node.integral:
            return 0.0
        scaled = abs(term.weight) * _PER_UNIT
        if scaled >= 2.0**52 or abs(scaled - round(scaled)) > 1e-9 * max(1.0, scaled):
            return 0.0
        step = math.gcd(step, round(scaled))
    return step / _PER_UNIT


def lifted_bound(bound: float, step: float) -> float:
    """The least multiple of `step` that is not below `bound` (up to rounding); `bound` itself for step 0.

    Examples
    --------
    >>> lifted_bound(6.2, 1.0), lifted_bound(6.0000001, 1.0), lifted_bound(6.2, 0.0)
    (7.0, 6.0, 6.2)
    """
    if step <= 0 or not math.isfinite(bound):
        return bound
    # beyond this, the backends' own relative error of about 1e-10 is no longer small against a step
    if abs(bound) > 1e10 * step:
        return bound
    return max(bound, math.ceil(bound / step - _ROUNDING) * step)
