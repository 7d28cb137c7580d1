"""The law of the number of running requests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["stationary"]

Floats = npt.NDArray[np.float64]


def stationary(rate: Floats, sums: Floats, top: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """π(n) of a birth–death process, float64[instance, 0 … most], and the probability of `most` or more.

    `sums` are the running sums of log μ. Beyond `most` requests wait and μ stays at `top`: a geometric tail,
    counted to the last state; without a stationary law everything is there. `spread` is z.
    """
    numbers = np.arange(sums.shape[1])
    log = (numbers * np.log(rate)[:, None] - sums) / spread[:, None]
    ratio = (rate / top) ** (1.0 / spread)
    with np.errstate(divide="ignore"):
        log[:, -1] += np.where(ratio < 1.0, -np.log(np.maximum(1.0 - ratio, 1e-12)), 40.0)
    law = np.exp(log - log.max(axis=1, keepdims=True))
    law /= law.sum(axis=1, keepdims=True)
    return law, law[:, -1]
