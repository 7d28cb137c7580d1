"""When requests arrive: at random, in bursts, or evenly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["arrivals_s"]


def arrivals_s(
    count: int, rate_per_s: float, *, variation: float = 1.0, seed: int = 0
) -> npt.NDArray[np.float64]:
    """float64[count]: ascending seconds, with gaps of a gamma law.

    Parameters
    ----------
    rate_per_s
        Mean rate.
    variation
        Coefficient of variation of the gaps (standard deviation over mean): 1 is Poisson, 0 even spacing,
        more is bursty. The `burstiness` of ``vllm bench serve`` is 1 / variation².
    """
    if count < 1:
        raise InvalidInput(f"at least one request, got {count}")
    if not 0 < rate_per_s < np.inf:
        raise InvalidInput(f"the rate must be positive and finite, got {rate_per_s!r}")
    if not 0 <= variation <= 20:
        raise InvalidInput(f"the coefficient of variation must be in 0..20, got {variation!r}")
    if variation == 0:
        return np.arange(1, count + 1) / rate_per_s
    shape = 1.0 / variation**2
    gaps = np.random.default_rng(seed).gamma(shape, 1.0 / (shape * rate_per_s), count)
    return np.cumsum(gaps)
