"""GPUs in use over the periods of a schedule, as a drawing."""

from __future__ import annotations

from html import escape

from markupsafe import Markup

from planner.plan.schedule import Schedule

__all__ = ["day_svg"]

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 200, 48, 24, 10
MOST_LABELS = 24


def day_svg(schedule: Schedule) -> Markup:
    """One bar a period; the period that the plan places is marked."""
    most = max(1, *(period.gpus_used for period in schedule.periods))
    step = (WIDTH - LEFT) / len(schedule.periods)
    tall = HEIGHT - BOTTOM - TOP
    out = []
    for share in (0.0, 0.5, 1.0):
        y = TOP + tall * (1 - share)
        out.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH}" y2="{y:.1f}"/>')
        out.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{round(most * share)}</text>')
    every = -(-len(schedule.periods) // MOST_LABELS)
    for index, period in enumerate(schedule.periods):
        high = tall * period.gpus_used / most
        x = LEFT + index * step
        what = f"period {period.period}: {period.gpus_used} GPUs, {period.cost_per_hour:,.2f}/h"
        out.append(
            f'<rect class="{"placed" if period.placed else "period"}" x="{x + 1:.1f}" '
            f'y="{TOP + tall - high:.1f}" width="{max(step - 2, 1):.1f}" height="{high:.1f}">'
            f"<title>{escape(what)}</title></rect>"
        )
        if index % every == 0:
            out.append(
                f'<text x="{x + step / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{period.period}</text>'
            )
    least = min(period.gpus_used for period in schedule.periods)
    label = f"GPUs in use in {len(schedule.periods)} periods: between {least} and {most}"
    return Markup(  # noqa: S704 - built from numbers and escaped text
        f'<svg role="img" aria-label="{escape(label)}" class="wide" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join(out)}</svg>"
    )
