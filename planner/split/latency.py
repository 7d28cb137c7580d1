"""How long a step takes, as the simulator of prefill and decode instances sees it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from models.errors import InvalidInput, UnknownName
from models.profiles.importers.distserve import read_distserve

__all__ = ["PolynomialLatency", "StepLatency", "read_coefficients"]


class StepLatency(Protocol):
    """Time of one pipeline stage for one batch."""

    def prefill_ms(self, prompt_tokens: Sequence[int]) -> float:
        """Milliseconds a stage takes for a batch of whole prompts of these lengths."""
        ...

    def decode_ms(self, batch: int, context_tokens: int) -> float:
        """Milliseconds a stage takes for one new token of `batch` requests with so many tokens together."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PolynomialLatency:
    """The fitted model of DistServe (OSDI 2024, appendix A), each time divided among the stages.

    Parameters
    ----------
    prefill
        (a, b, c) of ``a + b Σ l + c Σ l²`` milliseconds over prompt lengths l.
    decode_small, decode_large
        (a, b, c) of ``a + b · context tokens + c · batch`` milliseconds, below and from `large_batch`
        requests.
    large_batch
        Where the second triple takes over.
    stages
        Pipeline stages that share the time evenly.
    pipeline_overhead_ms
        The released simulator adds this × stages to the prefill time of every stage.
    """

    prefill: tuple[float, float, float]
    decode_small: tuple[float, float, float]
    decode_large: tuple[float, float, float]
    large_batch: int
    stages: int = 1
    pipeline_overhead_ms: float = 0.0

    def __post_init__(self) -> None:
        if self.stages < 1:
            raise InvalidInput(f"a pipeline has at least one stage, got {self.stages}")

    def prefill_ms(self, prompt_tokens: Sequence[int]) -> float:
        """See `StepLatency`."""
        a, b, c = self.prefill
        total = sum(prompt_tokens)
        whole = a + b * total + c * sum(n * n for n in prompt_tokens)
        return whole / self.stages + self.pipeline_overhead_ms * self.stages

    def decode_ms(self, batch: int, context_tokens: int) -> float:
        """See `StepLatency`."""
        a, b, c = self.decode_small if batch < self.large_batch else self.decode_large
        return (a + b * context_tokens + c * batch) / self.stages

    def piped(self, stages: int) -> PolynomialLatency:
        """The same model cut into `stages` pipeline stages."""
        return dataclasses.replace(self, stages=stages)


def read_coefficients(
    path: Path, model: str, *, pipeline_overhead_ms: float = 0.0
) -> Mapping[int, PolynomialLatency]:
    """Read the profile of a model as released with DistServe: latency by tensor-parallel size.

    Raises
    ------
    UnknownName
        The file has no such model.
    InvalidInput
        It is not such a file.
    """
    known = read_distserve(path)
    if model not in {each.model for each in known}:
        raise UnknownName("model", model, dict.fromkeys(each.model for each in known), source=str(path))
    return MappingProxyType(
        {
            each.tensor_parallel_size: PolynomialLatency(
                prefill=each.prefill,
                decode_small=each.decode_small,
                decode_large=each.decode_large,
                large_batch=each.large_batch,
                pipeline_overhead_ms=pipeline_overhead_ms,
            )
            for each in known
            if each.model == model
        }
    )
