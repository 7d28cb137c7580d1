"""The way from what runs to a new plan: ordered steps with times, and the places to turn round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from planner.plan.instance import STRICT, Stage

__all__ = ["Blocked", "RollbackPoint", "Side", "Step", "StepKind", "Transition"]

StepKind = Literal["load", "switch", "check", "drain", "migrate", "retire"]
"""``load``: take the GPUs, read the weights, get ready. ``switch``: send requests there. ``check``: all that
was begun for a workload so far takes requests. ``drain``: send none any more and let the running ones end, or
``migrate`` them. ``retire``: end the processes, free the GPUs."""

Side = Literal["current", "new", "temporary"]
"""Which set of instances one belongs to: it goes, it comes, or it is a copy on spare GPUs until the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    index: int
    """Place in the list; steps only depend on earlier ones."""
    kind: StepKind
    """What is done."""
    instance: str
    """To which instance; empty for ``check``."""
    workload: str
    """Workload of the instance."""
    stages: tuple[Stage, ...]
    """GPUs of the instance."""
    start_s: float
    """Earliest start, from the beginning of the transition."""
    end_s: float
    """Expected end."""
    after: tuple[int, ...]
    """Steps that must have ended before it begins."""
    side: Side
    """Which set of instances it belongs to."""
    surge: bool = False
    """Loads while GPUs of the current plan are still held: more runs than either plan needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackPoint:
    """A place to stop and turn round: all steps up to `after_step` done, none later begun."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    after_step: int
    """Last step done; -1 before the first."""
    restarts: int
    """Instances of the current plan retired by then, which would have to be loaded again."""
    reload_s: float
    """How long that takes, one after the other; 0 while going back is only a matter of routing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Why there is no order of steps."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    workload: str
    """Workload whose floor is in the way."""
    reason: str
    """One sentence with figures, and what would help."""
    proven: bool
    """Every order was ruled out; otherwise the search gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The whole way, or why there is none."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    steps: tuple[Step, ...]
    """In order; empty when blocked or when nothing changes."""
    duration_s: float
    """End of the last step."""
    lowest_per_s: dict[str, float]
    """By workload, the least capacity at any time, requests per second."""
    floors_per_s: dict[str, float]
    """By workload, what it may not drop below."""
    rollback: tuple[RollbackPoint, ...]
    """Places to turn round, in order; the first before any step."""
    blocked: Blocked | None = None
    """Why there is no order; None when there is one."""
    assumptions: tuple[str, ...] = ()
    """What the times rest on, and which floors had to be lowered."""
