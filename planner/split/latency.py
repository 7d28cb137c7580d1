"""How long a step takes, as the simulator of prefill and decode instances sees it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from models.errors import InvalidInput, UnknownName

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
    try:
        profiles = json.loads(path.read_text(encoding="utf-8"))
        if model not in profiles:
            raise UnknownName("model", model, profiles, source=str(path))
        found = {
            int(tensor): PolynomialLatency(
                prefill=_triple(entry["prefill"]),
                decode_small=_triple(entry["decoding_smallbs"]),
                decode_large=_triple(entry["decoding_largebs"]),
                large_batch=int(entry["decoding_large_small_bs_threshold"]),
                pipeline_overhead_ms=pipeline_overhead_ms,
            )
            for tensor, entry in profiles[model].items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"not a DistServe latency profile: {error}", source=str(path)) from None
    return MappingProxyType(dict(sorted(found.items())))


def _triple(values: Sequence[float]) -> tuple[float, float, float]:
    a, b, c = (float(v) for v in values)
    return a, b, c
