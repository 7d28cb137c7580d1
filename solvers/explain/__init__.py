"""Why: what contradicts what, what would help, what blocks or costs a placement, what a limit is worth."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvers.explain.conflict import Conflict, find_conflict
    from solvers.explain.placement import Placement, explain_placement, force_placement
    from solvers.explain.prices import Price, limit_prices
    from solvers.explain.relaxation import Relaxation, cheapest_relaxation

__all__ = [
    "Conflict",
    "Placement",
    "Price",
    "Relaxation",
    "cheapest_relaxation",
    "explain_placement",
    "find_conflict",
    "force_placement",
    "limit_prices",
]

_HOME = {
    "Conflict": "conflict",
    "find_conflict": "conflict",
    "Placement": "placement",
    "explain_placement": "placement",
    "force_placement": "placement",
    "Price": "prices",
    "limit_prices": "prices",
    "Relaxation": "relaxation",
    "cheapest_relaxation": "relaxation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'solvers.explain' has no attribute {name!r}")
    return getattr(import_module(f"solvers.explain.{_HOME[name]}"), name)
