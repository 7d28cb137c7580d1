"""LoRA adapters of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["AdapterSlot"]

_STRICT: dict[str, Any] = {
    "extra": "forbid",
    "strict": True,
    "allow_inf_nan": False,
    "use_attribute_docstrings": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSlot:
    """An adapter that an instance holds."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: str
    """Name that requests ask for."""
    repository: str
    """Repository or path the engine loads."""
    rate_per_s: float
    """Requests for it that the plan sends here."""
