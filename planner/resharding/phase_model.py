"""What a comparison of layouts must know about a model on a GPU; a profile can implement it as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from models.errors import InvalidInput
from planner.resharding.layout import Layout

__all__ = ["PhaseModel", "RequestClass"]


@dataclass(frozen=True, slots=True)
class RequestClass:
    """Requests of one size: `input_tokens` of prompt, `output_tokens` of answer."""

    input_tokens: float
    output_tokens: float

    def __post_init__(self) -> None:
        if not (self.input_tokens > 0 and self.output_tokens > 0):
            raise InvalidInput(f"lengths must be positive, got {self.input_tokens}/{self.output_tokens}")

    @property
    def mean_context(self) -> float:
        """Tokens a running request holds on average while it is decoded."""
        return self.input_tokens + self.output_tokens / 2


class PhaseModel(Protocol):
    """Costs of a model on the GPUs of a layout. A request costs seconds of *all* of them."""

    @property
    def kv_cache_bytes_per_token(self) -> float:
        """Cache of one token over all layers and GPUs."""
        ...

    def layouts(self, gpus: int) -> tuple[Layout, ...]:
        """Every layout of that many GPUs, fitting or not."""
        ...

    def room_tokens(self, layout: Layout) -> float:
        """Tokens of KV cache that all GPUs hold together; ≤ 0 when the weights do not fit."""
        ...

    def weight_bytes_per_gpu(self, layout: Layout) -> float:
        """What one GPU loads to take its part in the layout."""
        ...

    def prefill_s(self, layout: Layout, request: RequestClass) -> float:
        """Seconds per request when only prompts are processed."""
        ...

    def decode_s(self, layout: Layout, request: RequestClass) -> float:
        """Seconds per request when only answers are generated, the cache kept full."""
        ...

    def mixed_s(self, layout: Layout, request: RequestClass) -> float:
        """Seconds per request when both phases share steps (chunked prefill)."""
        ...
