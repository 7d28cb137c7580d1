"""Who drafts tokens for an instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

__all__ = ["Drafting"]

_STRICT: dict[str, Any] = {
    "extra": "forbid",
    "strict": True,
    "allow_inf_nan": False,
    "use_attribute_docstrings": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """Speculative decoding, as the engine must be told."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    method: Literal["mtp", "eagle", "eagle3", "draft_model"]
    """Layers of the model's own, an EAGLE head, or another model."""
    tokens: int
    """Drafted in a step."""
    tokens_per_step: float
    """What a step is planned to yield, on average."""
    repository: str = ""
    """What the engine loads to draft with; empty: the model itself."""

    def __str__(self) -> str:
        return f"{self.method} {self.tokens}" + (f" by {self.repository}" if self.repository else "")
