"""The distribution function of the gamma law.

Series below the mean and continued fraction above it; for large shapes Temme's uniform expansion (DLMF 8.12),
whose coefficients follow from one another and are computed here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.compiled import compiled

__all__ = ["regularised_gamma"]

ORDERS, TERMS = 7, 30
UNIFORM_FROM = 60.0
"""Shape from which the expansion is as exact as the others (1e-13)."""


def _temme() -> npt.NDArray[np.float64]:
    """float64[ORDERS, TERMS]: Taylor coefficients in η of the expansion's factors of a⁻ᵏ.

    With μ = x / a - 1 and μ - log(1 + μ) = η² / 2: c₀ = 1 / μ - 1 / η, and cₖ = cₖ₋₁′ / η - cₖ₋₁,₁ / μ, in
    which the poles cancel.
    """
    count = TERMS + 2 * ORDERS + 2
    mu = np.zeros(count + 1)  # μ = Σ mu[n] ηⁿ, from μ μ′ = η (1 + μ)
    mu[1] = 1.0
    for n in range(2, count + 1):
        inner = sum(j * mu[j] * mu[n - j + 1] for j in range(2, n))
        mu[n] = (mu[n - 1] - inner) / (n + 1)
    inverse = np.zeros(count)  # η / μ
    inverse[0] = 1.0
    for n in range(1, count):
        inverse[n] = -np.dot(mu[2 : n + 2], inverse[n - 1 :: -1])
    found = np.zeros((ORDERS, count))
    found[0, : count - 1] = pole = inverse[1:]
    for k in range(1, ORDERS):
        kept = count - 1 - 2 * k
        found[k, :kept] = np.arange(2, kept + 2) * found[k - 1, 2 : kept + 2]
        found[k, :kept] -= found[k - 1, 1] * pole[:kept]
    return np.ascontiguousarray(found[:, :TERMS])


_TEMME = _temme()


@compiled
def regularised_gamma(a: float, x: float) -> Any:
    """Distribution function of the gamma law with shape `a` and scale 1: P(a, x)."""
    if x <= 0.0:
        return 0.0
    off = x / a - 1.0
    half_square = off - (math.log1p(off) if off < 1.0 else math.log(x / a))
    if a * half_square > 36.0:  # Chernoff: what is beyond x on the far side weighs less than e⁻³⁶
        return 0.0 if off < 0.0 else 1.0
    if a > UNIFORM_FROM:
        eta = math.copysign(math.sqrt(2.0 * max(half_square, 0.0)), off)
        total = 0.0
        for k in range(ORDERS - 1, -1, -1):
            factor = 0.0
            for n in range(TERMS - 4 * k - 1, -1, -1):
                factor = factor * eta + _TEMME[k, n]
            total = total / a + factor
        rest = math.exp(-a * half_square) / math.sqrt(2.0 * math.pi * a) * total
        return 0.5 * math.erfc(-eta * math.sqrt(a / 2.0)) - rest
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1.0:
        term = total = 1.0 / a
        divisor = a
        while term > total * 1e-16:
            divisor += 1.0
            term *= x / divisor
            total += term
        return total * front
    b = x + 1.0 - a
    c = 1e300
    d = 1.0 / b
    h = d
    for step in range(1, 10_000):
        numerator = -step * (step - a)
        b += 2.0
        d = 1.0 / (numerator * d + b)
        c = b + numerator / c
        h *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return 1.0 - h * front
