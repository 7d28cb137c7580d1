"""Speculative decoding: a step checks several drafted tokens at once and keeps those that were right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.architecture import Architecture
from models.errors import InvalidInput

__all__ = ["Method", "Speculation", "acceptance_of"]

Method = Literal["mtp", "eagle", "eagle3", "draft_model"]
"""Who drafts: layers of the model's own for multi-token prediction, an EAGLE head, another model."""

MOST_TOKENS = 16
HALVINGS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Speculation:
    """Drafts of one token after the other.

    A step passes the last token and all drafts of every request through the model, and a draft through the
    layers that draft, and an output head, for each token. A draft is kept if it and all before it are right.

    Parameters
    ----------
    tokens
        Drafted in a step, 1 to 16.
    acceptance
        Probability, in 0..1, that a draft is right when those before it are.
    method
        Without a `draft`, what drafts is one more layer like the mean of the model's.
    draft
        The model that drafts, for ``draft_model`` and nothing else; cut by tensor parallelism as the model
        it drafts for.
    draft_weights
        Its precision, by the names of `models.architecture.precision`.

    Raises
    ------
    InvalidInput
        Values that cannot be.
    """

    tokens: int
    acceptance: float
    method: Method = "mtp"
    draft: Architecture | None = None
    draft_weights: str = "bf16"

    def __post_init__(self) -> None:
        _check_tokens(self.tokens)
        if not 0.0 <= self.acceptance <= 1.0:
            raise InvalidInput(f"the acceptance of drafts must be in 0..1, got {self.acceptance!r}")
        if (self.method == "draft_model") != (self.draft is not None):
            raise InvalidInput(
                f"a model that drafts goes with draft_model and nothing else, not {self.method}"
            )

    @property
    def tokens_per_step(self) -> float:
        """Mean tokens a step gives each request: 1 + a + a² + … up to the drafts."""
        return _length(self.acceptance, self.tokens)

    @property
    def width(self) -> int:
        """Tokens of each request in a step."""
        return self.tokens + 1


def acceptance_of(length: float, tokens: int) -> float:
    """Return the acceptance with which drafts of so many tokens make a step yield `length` on average.

    `length` is what engines log as the mean acceptance length: the token of the step itself, and the drafts
    that were kept.

    Raises
    ------
    InvalidInput
        A length outside of 1 … tokens + 1.
    """
    _check_tokens(tokens)
    if not 1.0 <= length <= tokens + 1:
        raise InvalidInput(
            f"an acceptance length counts the token of the step and the drafts kept: with {tokens} drafts it "
            f"is from 1 to {tokens + 1}, got {length!r}"
        )
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _length(middle, tokens) < length else (low, middle)
    return high if length > 1.0 else 0.0


def _length(acceptance: float, tokens: int) -> float:
    return float(sum(acceptance**k for k in range(tokens + 1)))


def _check_tokens(tokens: int) -> None:
    whole = isinstance(tokens, int) and not isinstance(tokens, bool)
    if not whole or not 1 <= tokens <= MOST_TOKENS:
        raise InvalidInput(
            f"speculative tokens must be a whole number from 1 to {MOST_TOKENS}, got {tokens!r}"
        )
