"""Speculative decoding of a served model."""

from __future__ import annotations

from dataclasses import dataclass

from models.serving.speculation import Speculation

__all__ = ["Speculative"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculative:
    """Who drafts, and how well.

    Parameters
    ----------
    speculation
        As the serving models see it.
    repository
        What the engine loads to draft with; "": the model itself, which has the layers.
    source
        Where the acceptance is from.
    """

    speculation: Speculation
    repository: str
    source: str

    def __str__(self) -> str:
        s = self.speculation
        by = f" by {self.repository}" if self.repository else ""
        return f"{s.method} drafts {s.tokens}{by}, a step yields {s.tokens_per_step:.2f} tokens"
