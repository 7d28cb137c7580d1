"""Rows predicted by constants that their model had no part in, and the sorts that intervals are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.silicon.calibrate import Sample
from benchmarks.silicon.errors import Counted, Ratios
from benchmarks.silicon.rows import Case

__all__ = [
    "ENOUGH",
    "FEW_MODELS",
    "KINDS",
    "Held",
    "basis",
    "columns",
    "key_of",
    "ratio_of",
    "ratios_of",
    "sort_of",
    "trainable",
]

KINDS = ("", "full", "unsure", "apart")
"""Rows whose intervals are made together: see `sort_of`."""
FEW_MODELS = ("unsure", "apart")
"""Kinds measured with one or two models: too few to say how far another is off, so that their intervals are
made of them and of the aggregated rows of the generation, whatever the engine."""
ENOUGH = 8
"""Rows that an interval is made of, at least."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row predicted by constants that its model had no part in."""

    sample: Sample
    ttft_ms: float
    tpot_ms: float
    pressed: bool


def trainable(case: Case) -> bool:
    """Whether a row says what our constants mean; judged by its description alone.

    Of disaggregated rows, and of TensorRT-LLM with DeepSeek, whose recipes use multi-token prediction in an
    unknown part of the rows, nothing is learnt; nor of NVIDIA's own runs on Blackwell, whose harness is not
    stated. All are predicted.
    """
    return case.kind == "sure" and (case.configuration.gpu.generation, case.harness) != (
        "blackwell",
        "nvidia",
    )


def key_of(case: Case) -> str:
    """``engine/generation``."""
    return f"{case.configuration.engine.name}/{case.configuration.gpu.generation}"


def sort_of(h: Held) -> str:
    """Rows whose intervals are made together."""
    if h.sample.case.kind == "sure":
        return "full" if h.pressed else ""
    return h.sample.case.kind


def basis(held: list[Held], kind: str) -> list[Held]:
    """Rows that the intervals of a kind are made of."""
    kinds = {"", kind} if kind in FEW_MODELS else {kind}
    return [h for h in held if (k := sort_of(h)) in kinds and (k or trainable(h.sample.case))]


def ratio_of(held: list[Held], what: str) -> npt.NDArray[np.float64]:
    """Measured ÷ predicted."""
    predicted, measured = columns(held, f"{what}_ms")
    return measured / predicted


def ratios_of(held: list[Held], kind: str, generation: str, what: str) -> tuple[Ratios, Counted]:
    """The same by engine, of one generation, with the models of the rows, and which are of the kind.

    Of all engines together where the kind was measured with few models.
    """
    groups: dict[str, list[Held]] = {}
    for h in held:
        engine, _, own = key_of(h.sample.case).partition("/")
        if own == generation:
            groups.setdefault("" if kind in FEW_MODELS else engine, []).append(h)
    counted = {k: np.array([sort_of(h) == kind for h in some], dtype=bool) for k, some in groups.items()}
    return {
        k: (ratio_of(some, what), [h.sample.case.model for h in some]) for k, some in sorted(groups.items())
    }, counted


def columns(held: list[Held], name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """A figure of all rows, float64[row]: as predicted and as measured."""
    predicted = np.array([getattr(h, name) for h in held])
    return predicted, np.array([getattr(h.sample, name) for h in held])
