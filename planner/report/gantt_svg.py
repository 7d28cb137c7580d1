"""A transition as a picture: one bar a step, one line an instance, in plain SVG."""

from __future__ import annotations

from html import escape

from planner.plan.transition import Step, Transition
from planner.report.transition import clock_time

__all__ = ["gantt_svg"]

COLOURS = {
    "load": "#9ecae1", "switch": "#3182bd", "check": "#636363", "drain": "#fdd0a2", "migrate": "#fd8d3c",
    "retire": "#a63603",
}  # fmt: skip
ROW, BAR, LABEL, CHART, TOP = 18, 12, 230, 820, 46
"""Heights of a line and its bar, widths of the names and the chart, height of the heading; pixels."""
TICKS = 8
LEAST = 2.0
"""Pixels of a step that takes no time."""


def gantt_svg(transition: Transition, *, title: str) -> str:
    """The picture; instances in the order in which they are touched, time in minutes and seconds above."""
    lines: dict[tuple[str, str], int] = {}
    for step in transition.steps:
        lines.setdefault(_line(step), len(lines))
    span = max(transition.duration_s, 1e-9)
    width, height = LABEL + CHART + 20, TOP + ROW * len(lines) + 34
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="8" y="16" font-size="13" font-weight="bold">{escape(title)}</text>',
    ]
    for tick in range(TICKS + 1):
        x = LABEL + CHART * tick / TICKS
        out += [
            f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{height - 28}" stroke="#dddddd"/>',
            f'<text x="{x:.1f}" y="{TOP - 10}" text-anchor="middle">{clock_time(span * tick / TICKS)}</text>',
        ]
    for (side, name), line in lines.items():
        sign = {"new": "+", "temporary": "±"}.get(side, "−")
        out.append(f'<text x="8" y="{TOP + ROW * line + BAR}">{escape(f"{sign} {name}")}</text>')
    for step in transition.steps:
        x = LABEL + CHART * step.start_s / span
        wide = max(LEAST, CHART * (step.end_s - step.start_s) / span)
        what = f"{step.index} {step.kind} {clock_time(step.start_s)} to {clock_time(step.end_s)}"
        out.append(
            f'<rect x="{x:.1f}" y="{TOP + ROW * lines[_line(step)] + 2}" width="{wide:.1f}" height="{BAR}" '
            f'fill="{COLOURS[step.kind]}"><title>{escape(what)}</title></rect>'
        )
    for position, (kind, colour) in enumerate(COLOURS.items()):
        x = LABEL + 110 * position
        out += [
            f'<rect x="{x}" y="{height - 20}" width="{BAR}" height="{BAR}" fill="{colour}"/>',
            f'<text x="{x + BAR + 5}" y="{height - 10}">{kind}</text>',
        ]
    return "\n".join((*out, "</svg>")) + "\n"


def _line(step: Step) -> tuple[str, str]:
    return (step.side, step.instance or f"check of {step.workload}")
