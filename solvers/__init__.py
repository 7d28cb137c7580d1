"""How a graph is solved: exactly (MILP), by search, or both; with a bound on every answer.

Names are loaded on first use, so that importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from solvers.choose import solve
    from solvers.options import Progress, SolveOptions
    from solvers.result import Result, TierResult

__all__ = ["Progress", "Result", "SolveOptions", "TierResult", "solve"]

_HOME = {
    "Progress": "solvers.options",
    "SolveOptions": "solvers.options",
    "Result": "solvers.result",
    "TierResult": "solvers.result",
    "solve": "solvers.choose",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'solvers' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
