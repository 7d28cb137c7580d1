"""Steps of a transition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from planner.plan import Stage
from planner.transition.order import Blocked, Side

__all__ = ["RollbackPoint", "Step", "StepKind", "Transition"]

StepKind = Literal["load", "switch", "drain", "migrate", "retire"]
"""``load``: take the GPUs, read the weights, get ready. ``switch``: send requests there. ``drain``: send none
any more and let the running ones end, or ``migrate`` them. ``retire``: end the processes, free the GPUs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do.

    Parameters
    ----------
    index
        Place in the list; steps only depend on earlier ones.
    kind, instance, workload
        What is done to which instance.
    stages
        GPUs of the instance.
    start_s, end_s
        From the beginning of the transition.
    after
        Indices of the steps that must have ended.
    surge
        Loads while the GPUs of both plans are held: more runs than either plan needs.
    side
        ``current``: an instance that goes, ``new``: one that comes, ``temporary``: a copy on spare GPUs.
    """

    index: int
    kind: StepKind
    instance: str
    workload: str
    stages: tuple[Stage, ...]
    start_s: float
    end_s: float
    after: tuple[int, ...]
    side: Side
    surge: bool = False


@dataclass(frozen=True, slots=True)
class RollbackPoint:
    """A place to stop and turn round: all steps up to `after_step` done, none later begun.

    ``reload_s``: time to load again what has been retired by then, one after the other; 0 while all of the
    old plan is still loaded and only requests must be sent back.
    """

    after_step: int
    instances_to_restart: tuple[str, ...]
    reload_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """The whole way, or why there is none.

    Parameters
    ----------
    steps
        In order; empty when blocked or when nothing changes.
    duration_s
        End of the last step.
    lowest_per_s
        By workload, the least capacity at any time.
    floors_per_s
        By workload, what was asked for.
    rollback
        Places to turn round, in order; the first before any step.
    blocked
        Why there is no order; None when there is one.
    """

    steps: tuple[Step, ...]
    duration_s: float
    lowest_per_s: dict[str, float]
    floors_per_s: dict[str, float]
    rollback: tuple[RollbackPoint, ...]
    blocked: Blocked | None = None
