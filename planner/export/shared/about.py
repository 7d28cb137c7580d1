"""What a reader of an exported plan should know first, as lines of a comment."""

from __future__ import annotations

from planner.plan import Plan

__all__ = ["period_note"]


def period_note(plan: Plan) -> str:
    """Which period of the fleet is written, as one line of a comment; empty without periods."""
    if plan.schedule is None:
        return ""
    placed = [str(period.period) for period in plan.schedule.periods if period.placed]
    return (
        f"# period {' and '.join(placed) or 'none'} of {len(plan.schedule.periods)}: the others are sized in "
        "the plan, not placed\n"
    )
