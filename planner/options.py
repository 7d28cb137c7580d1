"""What a caller may ask of planning, and what it hears while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["CONFIDENCES", "PlanOptions", "Progress"]

CONFIDENCES = (0.5, 0.99)
"""Least and most confidence one may ask for: the intervals of the latency models know no rarer tails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions:
    """How to plan.

    Parameters
    ----------
    time_limit_s
        Wall-clock limit for all solves together; None: until proven.
    seed
        Of every random choice.
    threads
        Upper limit for the solvers. With 1 the same input gives the same bytes.
    verify
        Replay the plan in the simulator, and plan again where it misses its targets there.
    confidence
        Probability, 0.5 to 0.99, with which measurements shall keep the targets, by the prediction intervals;
        None: the predictions themselves shall.
    """

    time_limit_s: float | None = None
    seed: int = 0
    threads: int = 1
    verify: bool = True
    confidence: float | None = None

    def __post_init__(self) -> None:
        if self.time_limit_s is not None and not 0 < self.time_limit_s < float("inf"):
            raise InvalidInput(
                f"the time limit must be a positive number of seconds, got {self.time_limit_s}"
            )
        if not 0 <= self.seed < 2**31:
            raise InvalidInput(f"the seed must be between 0 and {2**31 - 1}, got {self.seed}")
        least, most = CONFIDENCES
        if self.confidence is not None and not least <= self.confidence <= most:
            raise InvalidInput(f"the confidence must be between {least} and {most}, got {self.confidence}")
        if self.threads < 1:
            raise InvalidInput(f"at least one thread is needed, got {self.threads}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One report while planning.

    Parameters
    ----------
    phase
        ``reading``, ``candidates``, ``sizing``, ``placement``, ``assembling``, ``verifying`` or
        ``transition``.
    elapsed_s
        Since planning began.
    objective, bound, gap
        Of the goal tier being minimised; None where there is none yet.
    evaluations_per_s
        Moves that a search has priced a second; None from other phases.
    """

    phase: str
    elapsed_s: float
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    evaluations_per_s: float | None = None
