"""A colour for each workload, and shades of it for the roles."""

from __future__ import annotations

import colorsys

from planner.plan import Plan

__all__ = ["fill", "hues"]

GOLDEN = 0.618033988749895
"""Steps of the golden ratio around the circle: neighbours differ most, whatever their number."""
LIGHTNESS = {"prefill": 0.78, "mixed": 0.62, "decode": 0.44}
"""Roles differ in lightness, which prints and is seen by the colour-blind."""


def hues(plan: Plan) -> dict[str, float]:
    """Return a hue in [0, 1) for each workload, by name: the same plan gives the same colours."""
    names = dict.fromkeys((*(w.name for w in plan.workloads), *(i.workload for i in plan.instances)))
    return {name: (0.58 + GOLDEN * index) % 1.0 for index, name in enumerate(names)}


def fill(hue: float, role: str) -> str:
    """Return the colour of a role as ``#rrggbb``."""
    red, green, blue = colorsys.hls_to_rgb(hue, LIGHTNESS[role], 0.62)
    return f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"
