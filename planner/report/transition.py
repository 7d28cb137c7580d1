"""The steps of a transition as a table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from planner.plan.transition import Transition
from planner.report.numbers import rate

__all__ = ["clock_time", "print_transition"]

MOST_ROWS = 60


def print_transition(transition: Transition, console: Console) -> None:
    """Print the steps with their times, what every workload keeps meanwhile, and what that rests on."""
    if transition.blocked is not None:
        console.print(Text(f"\nno safe way from the current plan: {transition.blocked.reason}"))
        return
    if not transition.steps:
        console.print(Text("\ntransition: nothing changes"))
        return
    console.print(_steps(transition))
    kept = [
        f"{workload} never below {rate(low)} (floor {rate(transition.floors_per_s[workload])})"
        for workload, low in sorted(transition.lowest_per_s.items())
        if workload in transition.floors_per_s
    ]
    last = max((p.after_step for p in transition.rollback if not p.restarts), default=-1)
    console.print(
        Text(
            f"{clock_time(transition.duration_s)} in all; {'; '.join(kept) or 'no workload of both plans'}; "
            f"going back is free until step {last}"
        )
    )
    for assumption in transition.assumptions:
        console.print(Text(f"note: {assumption}"))


def clock_time(seconds: float) -> str:
    """``1:02:03`` or ``2:03``; whole seconds."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _steps(transition: Transition) -> Table:
    table = Table(
        title="\ntransition from the current plan", title_justify="left", title_style="bold",
        pad_edge=False, box=None,
    )  # fmt: skip
    for column in ("step", "from", "to"):
        table.add_column(column, justify="right")
    for column in ("do", "instance", "after"):
        table.add_column(column)
    for step in transition.steps[:MOST_ROWS]:
        table.add_row(
            str(step.index), clock_time(step.start_s), clock_time(step.end_s),
            f"{step.kind} (surge)" if step.surge else step.kind,
            step.instance or f"all of {step.workload}", ", ".join(map(str, step.after)) or "–",
        )  # fmt: skip
    if len(transition.steps) > MOST_ROWS:
        table.add_row("…", "", "", f"and {len(transition.steps) - MOST_ROWS} more steps")
    return table
