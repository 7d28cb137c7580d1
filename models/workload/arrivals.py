"""When requests arrive: at random, in bursts, or evenly."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["POISSON", "Burstiness", "arrivals_s", "variation_of"]

LEAST_SHAPE, MOST_SHAPE = 1 / 400, 1e6
LEAST_RATE_PER_S = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Burstiness:
    """How unevenly requests come, before a router spreads them at random over equal instances.

    Of a stream with independent gaps of squared coefficient of variation c², the share p that one instance
    gets has gaps of 1 + p (c² - 1): spreading evens bursts out.

    Parameters
    ----------
    shape
        Of the gamma law of the gaps, 1 / c², as ``--burstiness`` of ``vllm bench serve``: 1 is Poisson, less
        is bursty, more is even.
    rate_per_s
        Of the whole stream; the least: an instance gets all of it.

    Raises
    ------
    InvalidInput
        Values that cannot be.
    """

    shape: float = 1.0
    rate_per_s: float = LEAST_RATE_PER_S

    def __post_init__(self) -> None:
        if not LEAST_SHAPE <= self.shape <= MOST_SHAPE:
            raise InvalidInput(
                f"burstiness must be in {LEAST_SHAPE:g}..{MOST_SHAPE:g} (1 is Poisson, less is bursty), got "
                f"{self.shape!r}"
            )
        if not LEAST_RATE_PER_S <= self.rate_per_s < inf:
            raise InvalidInput(f"the rate must be positive and finite, got {self.rate_per_s!r}")

    @property
    def excess(self) -> float:
        """Squared coefficient of variation of the gaps of the whole stream, less that of Poisson arrivals."""
        return 1.0 / self.shape - 1.0

    def share(self, rate_per_s: float) -> float:
        """Of the requests that an instance at a rate gets."""
        return min(rate_per_s / self.rate_per_s, 1.0)


POISSON = Burstiness()


def variation_of(burstiness: float) -> float:
    """Return the coefficient of variation of gaps with a gamma law of that shape; 1 is 1, Poisson."""
    return float(np.sqrt(1.0 + Burstiness(shape=burstiness).excess))


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
