"""The flags of speculative decoding and of bursts, alike in ``estimate``, ``simulate`` and ``capacity``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import InvalidInput

if TYPE_CHECKING:
    from models.serving import Speculation

__all__ = [
    "Acceptance",
    "AcceptanceLength",
    "DraftModel",
    "SpeculativeMethod",
    "SpeculativeTokens",
    "speculation",
    "speculative_entry",
]

SpeculativeTokens = Annotated[int, typer.Option(help="Tokens drafted in each step (0: none).")]
Acceptance = Annotated[
    float | None, typer.Option(help="Probability that a draft is right when those before it are.")
]
AcceptanceLength = Annotated[
    float | None,
    typer.Option(help="Instead: mean tokens a step yields, its own included, as engines log it."),
]
SpeculativeMethod = Annotated[
    str, typer.Option(metavar="METHOD", help="Who drafts: mtp, eagle, eagle3 or draft_model.")
]
DraftModel = Annotated[
    str | None, typer.Option(help="Of draft_model: catalogue name, or the path of a config.json.")
]


def speculative_entry(
    tokens: int, acceptance: float | None, length: float | None, method: str, draft: str | None
) -> dict[str, Any] | None:
    """Return what the flags say, as ``speculative`` of a model in a fleet document; None: nothing.

    Raises
    ------
    InvalidInput
        One flag without the others.
    """
    if not tokens:
        if acceptance is not None or length is not None or draft is not None:
            raise InvalidInput("give --speculative-tokens with the other flags of speculative decoding")
        return None
    if (acceptance is None) == (length is None):
        raise InvalidInput(
            "give --speculative-tokens with --acceptance or --acceptance-length: one of the two"
        )
    if (draft is None) == (method == "draft_model"):
        raise InvalidInput("--draft-model goes with --speculative-method draft_model, and needs it")
    entry: dict[str, Any] = {"method": method, "tokens": tokens, "source": "the command line"}
    if method in ("eagle", "eagle3"):
        entry["repository"] = f"{method} head"
    stated = {"acceptance": acceptance, "acceptance_length": length, "architecture": draft}
    return entry | {key: value for key, value in stated.items() if value is not None}


def speculation(
    tokens: int, acceptance: float | None, length: float | None, method: str, draft: str | None
) -> Speculation | None:
    """Return what the flags say; raises `InvalidInput` for flags that do not go together."""
    from typing import get_args

    from models.architecture import resolve
    from models.errors import UnknownName
    from models.serving import Speculation
    from models.serving.speculation import Method, acceptance_of

    if speculative_entry(tokens, acceptance, length, method, draft) is None:
        return None
    if method not in get_args(Method):
        raise UnknownName("method of speculative decoding", method, get_args(Method))
    model = None if draft is None else resolve(draft)
    return Speculation(
        tokens=tokens,
        acceptance=acceptance_of(length, tokens) if length is not None else (acceptance or 0.0),
        method=next(known for known in get_args(Method) if known == method),
        draft=model,
        draft_weights="bf16" if model is None else model.checkpoint_precision,
    )
