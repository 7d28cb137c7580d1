"""Requests for a simulation: lengths, and arrivals at any rate from one draw of random numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput

__all__ = ["RequestSample"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RequestSample:
    """Requests in order of arrival.

    Parameters
    ----------
    gaps
        float64[n]: time since the arrival before, in units of the mean gap. All rates use the same gaps, so
        that results at two rates differ by the rate and not by luck.
    input_tokens, output_tokens
        int64[n], at least 1.
    """

    gaps: npt.NDArray[np.float64]
    input_tokens: npt.NDArray[np.int64]
    output_tokens: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        n = self.gaps.size
        if n == 0 or self.input_tokens.shape != (n,) or self.output_tokens.shape != (n,):
            raise InvalidInput("a sample needs one gap, input length and output length for each request")
        if min(self.input_tokens.min(), self.output_tokens.min()) < 1 or self.gaps.min() < 0:
            raise InvalidInput("lengths must be at least 1 and gaps at least 0")

    def __len__(self) -> int:
        return int(self.gaps.size)

    def arrivals_s(self, rate_per_s: float) -> npt.NDArray[np.float64]:
        """float64[n]: arrival times at that rate."""
        if not rate_per_s > 0:
            raise InvalidInput(f"the rate must be positive, got {rate_per_s}")
        return np.cumsum(self.gaps) / rate_per_s

    @classmethod
    def poisson(
        cls,
        input_tokens: npt.ArrayLike,
        output_tokens: npt.ArrayLike,
        *,
        count: int | None = None,
        seed: int = 0,
    ) -> RequestSample:
        """Poisson arrivals of the given lengths in their order, or of `count` drawn from them."""
        rng = np.random.default_rng(seed)
        inputs, outputs = np.asarray(input_tokens, np.int64), np.asarray(output_tokens, np.int64)
        if count is not None:
            drawn = rng.integers(0, inputs.size, count)
            inputs, outputs = inputs[drawn], outputs[drawn]
        return cls(gaps=rng.exponential(1.0, inputs.size), input_tokens=inputs, output_tokens=outputs)
