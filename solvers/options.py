"""What a caller may ask of a solve, and what it hears while it runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from models.errors import InvalidInput
from models.graph.space import Ints

__all__ = ["Progress", "SolveOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One report of a running solve.

    Parameters
    ----------
    phase
        What runs: ``build``, ``milp``, ``search`` and so on.
    elapsed_s
        Since the start of the solve.
    tier
        Index of the goal tier that is being minimised.
    objective, bound
        Of that tier: best value found and proven lower bound; None while there is none.
    gap
        Relative gap between the two (see `solvers.result.relative_gap`).
    evaluations_per_s
        Moves that search has priced a second, all threads together; None from other phases.
    """

    phase: str
    elapsed_s: float
    tier: int
    objective: float | None
    bound: float | None
    gap: float | None
    evaluations_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SolveOptions:
    """How to solve.

    Parameters
    ----------
    time_limit_s
        Wall-clock limit, honoured within a second; None: until proven, or until `iteration_limit`.
    gap
        Relative gap at which a tier counts as optimal: ``(value − bound) / max(|value|, |bound|)``.
    threads
        Upper limit. With 1 (default) and no time limit reached, the same input gives the same bytes.
    seed
        Of everything random.
    start
        int32[n_objects], -1 for unassigned: where to start from; default: the graph's initial assignment.
    solver
        ``auto`` (default: chosen by size), or a name from `solvers.choose.solver_names()`.
    iteration_limit
        Of search: number of iterations after which it stops. Exact solvers ignore it, they stop when done.
    on_progress
        Called about twice a second and at each improvement, from the solving thread.
    cancelled
        Polled several times a second; once it returns True the best found so far is returned.
    """

    time_limit_s: float | None = None
    gap: float = 1e-6
    threads: int = 1
    seed: int = 0
    start: Ints | None = None
    solver: str = "auto"
    iteration_limit: int | None = None
    on_progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if self.time_limit_s is not None and not (self.time_limit_s > 0 and math.isfinite(self.time_limit_s)):
            raise InvalidInput(
                f"the time limit must be a positive number of seconds, got {self.time_limit_s}"
            )
        if not (0 <= self.gap < math.inf):
            raise InvalidInput(f"the gap must be a number of at least 0, got {self.gap}")
        if self.threads < 1:
            raise InvalidInput(f"at least one thread is needed, got {self.threads}")
        if not 0 <= self.seed < 2**31:
            raise InvalidInput(f"the seed must lie in 0..2147483647, got {self.seed}")
        if self.iteration_limit is not None and self.iteration_limit < 1:
            raise InvalidInput(f"the iteration limit must be at least 1, got {self.iteration_limit}")
