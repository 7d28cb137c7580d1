"""What latency headroom costs, as a drawing: a point a plan, cost against how far below the targets it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from models.errors import InvalidInput
from planner.report.numbers import money

__all__ = ["FrontPoint", "front_svg", "read_front"]

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 220, 90, 36, 14
"""Pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontPoint:
    """One plan: how far its latencies stay below the targets, and what it costs (None: there is no plan)."""

    headroom: float
    cost_per_hour: float | None


def read_front(text: str, *, source: str) -> tuple[FrontPoint, ...]:
    """Read what ``fulcrum pareto --json`` printed.

    Raises
    ------
    InvalidInput
        It is something else.
    """
    try:
        points = tuple(
            FrontPoint(
                headroom=float(point["headroom"]),
                cost_per_hour=None if point["cost_per_hour"] is None else float(point["cost_per_hour"]),
            )
            for point in json.loads(text)
        )
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(
            "holds no Pareto front; `fulcrum pareto FLEET.yaml --json` prints one", source=source
        ) from None
    if not any(point.cost_per_hour is not None for point in points):
        raise InvalidInput("holds no point that has a plan", source=source)
    return tuple(sorted(points, key=lambda point: point.headroom))


def front_svg(points: Sequence[FrontPoint]) -> Markup:
    """Draw the points that have a plan, joined as steps: between two of them the dearer holds."""
    drawn = [(point.headroom, point.cost_per_hour) for point in points if point.cost_per_hour is not None]
    most, widest = max(cost for _, cost in drawn) or 1.0, max(headroom for headroom, _ in drawn) or 1.0

    def place(headroom: float, cost: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 30) * headroom / widest
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (1 - cost / most)

    base = HEIGHT - BOTTOM
    parts = [f'<line class="grid" x1="{LEFT}" y1="{base}" x2="{WIDTH}" y2="{base}"/>']
    corners: list[str] = []
    before: float | None = None
    for headroom, cost in drawn:
        x, y = place(headroom, cost)
        if before is not None:
            corners.append(f"{before:.1f},{y:.1f}")
        corners.append(f"{x:.1f},{y:.1f}")
        before = x
    parts.append(f'<polyline class="best" points="{" ".join(corners)}"/>')
    for headroom, cost in drawn:
        x, y = place(headroom, cost)
        words = f"{100 * headroom:.0f} % below the targets: {money(cost)}"
        parts.append(
            f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{escape(words)}</title></circle>'
        )
        parts.append(f'<text x="{x:.1f}" y="{base + 16}" text-anchor="middle">{100 * headroom:.0f} %</text>')
    for cost in sorted({min(cost for _, cost in drawn), most}):
        y = place(0, cost)[1]
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{money(cost)}</text>')
    label = (
        f"Cost from {money(drawn[0][1])} at {100 * drawn[0][0]:.0f} % latency headroom to "
        f"{money(drawn[-1][1])} at {100 * drawn[-1][0]:.0f} %"
    )
    return Markup(  # noqa: S704 - built from numbers and escaped text
        f'<svg role="img" aria-label="{escape(label)}" class="wide" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )
