"""What a solve returns. Every value in it comes from the reference evaluation, never from a backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.graph.evaluate import ConstraintValue
from models.graph.space import Ints

__all__ = [
    "CANCELLED",
    "FEASIBLE",
    "INFEASIBLE",
    "OPTIMAL",
    "STATUSES",
    "UNKNOWN",
    "Result",
    "TierResult",
    "Timings",
    "TrajectoryPoint",
    "relative_gap",
]

OPTIMAL = "optimal"
"""All hard constraints hold and every tier is proven to be within the asked gap."""
FEASIBLE = "feasible"
"""All hard constraints hold; some tier is not proven to be within the asked gap."""
INFEASIBLE = "infeasible"
"""Proven: no assignment holds all hard constraints."""
UNKNOWN = "unknown"
"""Stopped without an assignment that holds all hard constraints, and without proof that there is none."""
CANCELLED = "cancelled"
"""Stopped by the caller; the assignment, if any, is the best found so far and holds all hard constraints."""
STATUSES = (OPTIMAL, FEASIBLE, INFEASIBLE, UNKNOWN, CANCELLED)


def relative_gap(value: float | None, bound: float | None) -> float | None:
    """``max(0, value − bound) / max(|value|, |bound|)``; 0 when both are 0, None when one is missing."""
    if value is None or bound is None:
        return None
    distance = value - bound
    scale = max(abs(value), abs(bound))
    return 0.0 if distance <= 0 or scale == 0 else distance / scale


@dataclass(frozen=True, slots=True)
class TierResult:
    """One goal tier: its value at the assignment and what is proven about it.

    ``bound``: no feasible assignment that is as good in all earlier tiers has less; None: nothing is known.
    """

    name: str
    value: float
    bound: float | None
    gap: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Wall-clock seconds: making the solver's own model, solving, and everything together."""

    build_s: float = 0.0
    solve_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TrajectoryPoint:
    """The best known objective of a tier at one time, and what was proven about it by then.

    ``evaluations_per_s``: moves that search has priced a second, all threads together; None from others.
    """

    elapsed_s: float
    tier: int
    objective: float
    bound: float | None = None
    evaluations_per_s: float | None = None

    @property
    def gap(self) -> float | None:
        """Relative gap (`relative_gap`) at that time; None while nothing is proven."""
        return relative_gap(self.objective, self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The answer to `solvers.solve`.

    Parameters
    ----------
    status
        One of `STATUSES`.
    assignment
        int32[n_objects], -1 for unassigned; None when no assignment holding all hard constraints was found.
    tiers, constraints
        Evaluated at `assignment`. Without one there are no tiers, and the constraints are those of the best
        attempt, if any.
    moved, unassigned
        Numbers of objects that end elsewhere than they started, and in no container.
    solver
        What solved it: ``highs``, ``cp-sat``, ``search``, …
    timings, trajectory, statistics
        How it went; `statistics` are numbers by name (nodes, evaluations, columns, rows, …).
    """

    status: str
    assignment: Ints | None
    tiers: tuple[TierResult, ...] = ()
    constraints: tuple[ConstraintValue, ...] = ()
    moved: int = 0
    unassigned: int = 0
    solver: str
    timings: Timings = Timings()
    trajectory: tuple[TrajectoryPoint, ...] = ()
    statistics: Mapping[str, float] = field(default_factory=dict)

    @property
    def solved(self) -> bool:
        """Whether there is an assignment (it then holds all hard constraints)."""
        return self.assignment is not None

    def _repr_html_(self) -> str:
        from models.markup import html_table

        title = f"{self.status} ({self.solver}), {self.moved} moved, {self.unassigned} unassigned"
        rows = [(tier.name, tier.value, tier.bound, tier.gap) for tier in self.tiers]
        return html_table(title, ("tier", "value", "proven bound", "gap"), rows)
