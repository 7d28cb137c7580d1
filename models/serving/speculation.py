"""Speculative decoding: a step checks several drafted tokens at once and keeps those that were right."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["Speculation"]

MOST_TOKENS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """Drafts by layers of the model's own (multi-token prediction), one token after the other.

    A step passes the last token and all drafts of every request through the model, and a draft through one
    more layer and the output head for each token. A draft is kept if it and all before it are right.

    Parameters
    ----------
    tokens
        Drafted in a step, 1 to 16.
    acceptance
        Probability, in 0..1, that a draft is right when those before it are.

    Raises
    ------
    InvalidInput
        Values that cannot be.
    """

    tokens: int
    acceptance: float

    def __post_init__(self) -> None:
        whole = isinstance(self.tokens, int) and not isinstance(self.tokens, bool)
        if not whole or not 1 <= self.tokens <= MOST_TOKENS:
            raise InvalidInput(
                f"speculative tokens must be a whole number from 1 to {MOST_TOKENS}, got {self.tokens!r}"
            )
        if not 0.0 <= self.acceptance <= 1.0:
            raise InvalidInput(f"the acceptance of drafts must be in 0..1, got {self.acceptance!r}")

    @property
    def tokens_per_step(self) -> float:
        """Mean tokens a step gives each request: 1 + a + a² + … up to the drafts."""
        return float(sum(self.acceptance**k for k in range(self.tokens + 1)))

    @property
    def width(self) -> int:
        """Tokens of each request in a step."""
        return self.tokens + 1
