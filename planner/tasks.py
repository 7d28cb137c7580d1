"""Plans as tasks of an executor: the scenarios of a sweep and regions know nothing of each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from planner.clock import Clock
from planner.executors import Context, Executor, Limits, Outcome, TaskEvent, values_of
from planner.fleet.fleet import Fleet
from planner.options import PlanOptions, Progress
from planner.pipeline import plan_fleet
from planner.plan import Plan

__all__ = ["PlanTask", "make_plan", "plan_all"]

REPORT_EVERY_S = 0.25
OVERRUN_S = 120.0
"""Beyond its time limit, before a plan's worker is killed: it limits solving; simulation comes on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """One plan to make.

    Parameters
    ----------
    current
        The plan that runs today.
    """

    fleet: Fleet
    options: PlanOptions
    current: Plan | None = None


def make_plan(task: PlanTask, context: Context) -> Plan:
    """Make a plan in a worker; progress is thinned out, so that a busy search does not flood the way."""
    last_s, phase = 0.0, ""

    def report(progress: Progress) -> None:
        nonlocal last_s, phase
        now = time.monotonic()
        if progress.phase != phase or now - last_s >= REPORT_EVERY_S:
            phase, last_s = progress.phase, now
            context.report(progress)

    clock = Clock(options=task.options, progress=report, cancelled=context.is_cancelled)
    return plan_fleet(task.fleet, clock, current=task.current).plan


def plan_all(
    tasks: Sequence[PlanTask],
    executor: Executor,
    *,
    progress: Callable[[Progress], None] | None = None,
    on_event: Callable[[TaskEvent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Plan | None]:
    """The plans in the order of the tasks; None for those not made because of a cancellation.

    Raises
    ------
    Exception
        What planning raised for the first task that failed; `SolverFailed` where a worker was lost too often.
    """
    heard = _Heard(count=len(tasks), progress=progress, on_event=on_event)
    limits_s = [task.options.time_limit_s for task in tasks]
    longest_s = max((limit for limit in limits_s if limit is not None), default=None)
    kill_s = None if longest_s is None or None in limits_s else longest_s + OVERRUN_S
    outcomes = executor.map(
        make_plan, tasks, limits=Limits(time_s=kill_s), on_event=heard, cancelled=cancelled
    )
    return [_plan_of(outcome) for outcome in outcomes]


def _plan_of(outcome: Outcome[Plan]) -> Plan | None:
    return None if outcome.state == "cancelled" else values_of([outcome])[0]


@dataclass(slots=True, kw_only=True)
class _Heard:
    """One line of progress of many plans."""

    count: int
    progress: Callable[[Progress], None] | None
    on_event: Callable[[TaskEvent], None] | None
    started_s: float = field(default_factory=time.monotonic)
    ended: int = 0

    def __call__(self, event: TaskEvent) -> None:
        self.ended += event.kind == "ended"
        if self.progress is not None:
            what = f": {event.report.phase}" if isinstance(event.report, Progress) else ""
            phase = f"{self.ended} of {self.count} plans{what}"
            self.progress(Progress(phase=phase, elapsed_s=time.monotonic() - self.started_s))
        if self.on_event is not None:
            self.on_event(event)
