"""``models[].speculative``: who drafts tokens, and how many of the drafts are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, WithJsonSchema

from models.architecture import Architecture, weight_precision
from models.document.reader import Path
from models.serving.speculation import MOST_TOKENS, Method, Speculation, acceptance_of
from planner.fleet.entries import Entry, Share, Text
from planner.fleet.speculative import Speculative

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["SpeculativeEntry", "speculative_of"]


class SpeculativeEntry(Entry):
    """Speculative decoding: tokens are drafted, and a step of the model checks all of them."""

    method: Method
    """Who drafts: the model's own layers for multi-token prediction (mtp), an EAGLE head (eagle, eagle3), or
    another model (draft_model)."""
    tokens: int = Field(ge=1, le=MOST_TOKENS)
    """Tokens drafted in a step."""
    acceptance_length: float | None = Field(default=None, ge=1)
    """Mean tokens a step yields, the one of the step itself included, as engines log it. Exactly one of this
    and `acceptance`."""
    acceptance: Share | None = None
    """Probability that a draft is right when those before it are."""
    source: Text
    """Where the acceptance is from: a measurement with requests like these. It is listed in the plan."""
    repository: Text | None = None
    """What drafts, a Hugging Face repository or a path; needed for EAGLE heads; default for draft_model:
    where its architecture is from."""
    architecture: Annotated[
        Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": True}]})
    ] = None
    """Of the model that drafts (draft_model only): catalogue name, path of a config.json, or its content."""
    weights: Text | None = None
    """Weight precision of the model that drafts; default: that of its checkpoint."""


def speculative_of(
    resolver: Resolver, entry: SpeculativeEntry | None, target: Architecture | None, path: Path
) -> Speculative | None:
    """Return how a model speculates; mistakes are noted with `resolver`.

    Parameters
    ----------
    target
        The model that is drafted for.
    path
        Of the entry.
    """
    if entry is None:
        return None
    acceptance = _acceptance(resolver, entry, path)
    draft, weights = _draft(resolver, entry, path)
    if entry.method in ("eagle", "eagle3") and entry.repository is None:
        resolver.fail(f"{entry.method} needs the repository of its head", path)
    if entry.method == "mtp" and entry.repository is not None:
        resolver.fail("mtp drafts with layers of the model itself", (*path, "repository"))
    if draft is not None and target is not None and draft.vocab_size != target.vocab_size:
        resolver.fail(
            f"{draft.name} has a vocabulary of {draft.vocab_size:,}, {target.name} of {target.vocab_size:,}: "
            "a model can only draft in the same one",
            (*path, "architecture"),
        )
    if acceptance is None or (draft is None) == (entry.method == "draft_model"):
        return None
    return Speculative(
        speculation=Speculation(
            tokens=entry.tokens,
            acceptance=acceptance,
            method=entry.method,
            draft=draft,
            draft_weights=weights,
        ),
        repository=entry.repository or (draft.source if draft is not None else ""),
        source=entry.source,
    )


def _acceptance(resolver: Resolver, entry: SpeculativeEntry, path: Path) -> float | None:
    length = entry.acceptance_length
    if (length is None) == (entry.acceptance is None):
        resolver.fail(
            "give acceptance_length (tokens a step yields) or acceptance (of a draft), as you measured it "
            "with requests like these: exactly one",
            path,
        )
        return None
    if length is None:
        return entry.acceptance
    return resolver.attempt(lambda: acceptance_of(length, entry.tokens), (*path, "acceptance_length"))


def _draft(resolver: Resolver, entry: SpeculativeEntry, path: Path) -> tuple[Architecture | None, str]:
    """The model that drafts and its precision."""
    if entry.method != "draft_model":
        for key in ("architecture", "weights"):
            if getattr(entry, key) is not None:
                resolver.fail(f"only draft_model has {key} of its own, {entry.method} has not", (*path, key))
        return None, "bf16"
    if entry.architecture is None:
        resolver.fail("draft_model needs the architecture of the model that drafts", path)
        return None, "bf16"
    draft = resolver.architecture(entry.architecture, entry.repository, "draft", path)
    if draft is None:
        return None, "bf16"
    chosen = entry.weights or draft.checkpoint_precision
    known = resolver.attempt(lambda: weight_precision(chosen), (*path, "weights"))
    return draft, "bf16" if known is None else known.name
