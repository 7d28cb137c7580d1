"""Many changes of a fleet, each by itself: what each would cost, what each would move."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from planner.executors import Executor, TaskEvent
from planner.fleet.fleet import Fleet
from planner.options import PlanOptions, Progress
from planner.plan import Plan
from planner.scenarios.change import Change, apply_changes
from planner.scenarios.what_if import Comparison
from planner.tasks import PlanTask, plan_all

__all__ = ["Scenario", "Sweep", "sweep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The plan of the fleet with one change, on the way from the fleet as it is."""

    words: str
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """The fleet as it is, and with each of some changes.

    Parameters
    ----------
    before
        None where planning was cancelled before there was any.
    scenarios
        In the order they were asked for; those not planned because of a cancellation are left out.
    """

    before: Plan | None
    scenarios: tuple[Scenario, ...]

    def as_dict(self) -> list[dict[str, Any]]:
        """For JSON: one comparison for each scenario; see `Comparison.as_dict`."""
        return [comparison.as_dict() for comparison in self.comparisons()]

    def comparisons(self) -> list[Comparison]:
        """Each scenario beside the fleet as it is."""
        if self.before is None:
            return []
        return [Comparison(words=(s.words,), before=self.before, after=s.plan) for s in self.scenarios]


def sweep(
    fleet: Fleet,
    changes: Sequence[Change],
    options: PlanOptions,
    executor: Executor,
    *,
    progress: Callable[[Progress], None] | None = None,
    on_event: Callable[[TaskEvent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sweep:
    """Plan the fleet, then each changed one with the first plan running; `options` are those of each plan.

    Which executor makes the plans does not change them.
    """
    changed = [apply_changes(fleet, [change]) for change in changes]  # a wrong name is told before all else
    (before,) = plan_all(
        [PlanTask(fleet=fleet, options=options)], executor, progress=progress, cancelled=cancelled
    )
    if before is None:
        return Sweep(before=None, scenarios=())
    current = before if before.instances else None
    plans = plan_all(
        [PlanTask(fleet=one, options=options, current=current) for one in changed],
        executor, progress=progress, on_event=on_event, cancelled=cancelled,
    )  # fmt: skip
    made = zip(changes, plans, strict=True)
    return Sweep(
        before=before,
        scenarios=tuple(Scenario(words=c.words, plan=plan) for c, plan in made if plan is not None),
    )
