"""A picture of a transition, as text."""

from __future__ import annotations

from models.errors import InvalidInput
from planner.plan.transition import Transition

__all__ = ["gantt"]

MARKS = {"load": "▒", "switch": "█", "drain": "░", "migrate": "≈", "retire": "│"}


def gantt(transition: Transition, *, width: int = 60) -> str:
    """One line per instance: ▒ load, █ switch, ░ drain, ≈ migrate, │ retired; the scale in seconds below."""
    if width < 10:
        raise InvalidInput(f"a chart needs at least 10 columns, got {width}")
    if transition.blocked is not None:
        return f"blocked: {transition.blocked.reason}\n"
    if not transition.steps:
        return "nothing changes\n"
    scale = width / max(transition.duration_s, 1e-9)
    rows: dict[tuple[str, bool], list[str]] = {}
    for step in transition.steps:
        if step.kind == "check":
            continue
        starts = step.kind in ("load", "switch")
        line = rows.setdefault((step.instance, starts), [" "] * (width + 1))
        first, last = int(step.start_s * scale), int(step.end_s * scale)
        for column in range(first, max(last, first + 1)):
            line[min(column, width)] = MARKS[step.kind]
    label = max(len(name) for name, _ in rows) + 2
    lines = [
        f"{'+' if starts else '-'}{name:<{label}}{''.join(line)}" for (name, starts), line in rows.items()
    ]
    end = f"{transition.duration_s:.0f} s"
    lines.append(" " * (label + 1) + "0" + end.rjust(width - 1))
    return "\n".join(line.rstrip() for line in lines) + "\n"
