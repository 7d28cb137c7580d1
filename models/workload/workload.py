"""Requests at a rate."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput
from models.workload.lengths import LengthDistribution

__all__ = ["Workload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Independent requests arriving at random (Poisson) with lengths of a distribution.

    Parameters
    ----------
    rate_per_s
        Mean arrival rate, requests per second.
    lengths
        Prompt and output lengths.
    """

    rate_per_s: float
    lengths: LengthDistribution

    def __post_init__(self) -> None:
        if not 0 < self.rate_per_s < float("inf"):
            raise InvalidInput(f"the arrival rate must be positive and finite, got {self.rate_per_s!r}/s")

    @property
    def input_tokens_per_s(self) -> float:
        """Mean prompt tokens arriving per second."""
        return self.rate_per_s * self.lengths.mean_input_tokens

    @property
    def output_tokens_per_s(self) -> float:
        """Mean output tokens asked for per second."""
        return self.rate_per_s * self.lengths.mean_output_tokens
