"""What the solver knew when: its best value and its bound over time, one drawing a phase."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from html import escape
from itertools import groupby

from markupsafe import Markup

from models.errors import InvalidInput
from planner.options import Progress

__all__ = ["Sample", "read_trajectory", "trajectory_lines", "trajectory_svgs"]

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 180, 90, 24, 12
"""Pixels."""
LEAST_SAMPLES = 2
"""Fewer make no line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One report of a solver.

    Parameters
    ----------
    phase
        What was being solved: ``sizing``.
    elapsed_s
        Since planning began.
    objective, bound
        Of the goal being minimised; None where there is none yet.
    """

    phase: str
    elapsed_s: float
    objective: float | None
    bound: float | None


def read_trajectory(text: str, *, source: str) -> tuple[Sample, ...]:
    """Read what ``fulcrum plan --trajectory`` wrote: a JSON object a line.

    Raises
    ------
    InvalidInput
        With the line that is none.
    """
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            values = json.loads(line)
            found.append(
                Sample(
                    phase=str(values["phase"]), elapsed_s=float(values["elapsed_s"]),
                    objective=_number(values["objective"]), bound=_number(values["bound"]),
                )
            )  # fmt: skip
        except (ValueError, KeyError, TypeError):
            raise InvalidInput(
                "is no report of a solver; `fulcrum plan --trajectory FILE` writes them",
                source=source, line=number,
            ) from None  # fmt: skip
    return tuple(found)


def _number(value: object) -> float | None:
    if value is None:
        return None
    number = float(value)  # type: ignore[arg-type]
    return number if math.isfinite(number) else None


def trajectory_lines(reports: Iterable[Progress]) -> str:
    """Return reports of planning as `read_trajectory` reads them."""
    names = [field.name for field in fields(Sample)]
    return "".join(json.dumps({name: getattr(one, name) for name in names}) + "\n" for one in reports)


def trajectory_svgs(samples: Sequence[Sample]) -> tuple[tuple[str, Markup], ...]:
    """Return name and drawing of each run of one phase in which a value was found more than once."""
    found = []
    for phase, run in groupby(samples, key=lambda sample: sample.phase):
        reports = tuple(run)
        if sum(sample.objective is not None for sample in reports) >= LEAST_SAMPLES:
            found.append((phase, _svg(phase, reports)))
    return tuple(found)


def _svg(phase: str, reports: Sequence[Sample]) -> Markup:
    values = [v for r in reports for v in (r.objective, r.bound) if v is not None]
    low, high = min(values), max(values)
    begin, end = reports[0].elapsed_s, reports[-1].elapsed_s

    def place(time_s: float, value: float) -> tuple[float, float]:
        x = LEFT + (WIDTH - LEFT - 8) * (time_s - begin) / max(end - begin, 1e-9)
        y = TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / max(high - low, 1e-9))
        return x, y

    def line(points: Iterable[tuple[float, float | None]]) -> str:
        drawn, last = [], None
        for time_s, value in points:
            if value is None:
                continue
            x, y = place(time_s, value)
            if last is not None:  # what is known holds until something better is
                drawn.append(f"{x:.1f},{last:.1f}")
            drawn.append(f"{x:.1f},{y:.1f}")
            last = y
        return " ".join(drawn)

    last = reports[-1]
    gap = f", proven down to {last.bound:,.4g}" if last.bound is not None else ""
    label = f"{phase}: best value {last.objective:,.4g} after {end:.1f} s{gap}" if last.objective else phase
    parts = [
        f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{WIDTH - 8}" y2="{y}"/>' for y in (TOP, HEIGHT - BOTTOM)
    ]
    parts += [
        f'<text x="{LEFT - 6}" y="{TOP + 4}" text-anchor="end">{high:,.4g}</text>',
        f'<text x="{LEFT - 6}" y="{HEIGHT - BOTTOM + 4}" text-anchor="end">{low:,.4g}</text>',
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{begin:.1f} s</text>',
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 6}" text-anchor="end">{end:.1f} s</text>',
        f'<polyline class="best" points="{line((r.elapsed_s, r.objective) for r in reports)}"/>',
        f'<polyline class="bound" points="{line((r.elapsed_s, r.bound) for r in reports)}"/>',
    ]
    return Markup(  # noqa: S704 - built from numbers and escaped text
        f'<svg role="img" aria-label="{escape(label)}" class="wide" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )
