"""Time and cancellation of one planning run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from planner.options import PlanOptions, Progress
from solvers.options import Progress as SolverProgress
from solvers.options import SolveOptions

if TYPE_CHECKING:
    from planner.executors import Executor

__all__ = ["Clock"]

SHORTEST_SOLVE_S = 0.5
"""What a solve that begins when the time is up gets: enough for a first feasible point of a small model."""
PROVEN_GAP = 1e-4
"""Relative gap at which a goal tier counts as proven: far below what prices and predictions are good for."""
ROUND_SHARE = 0.6
"""Most of the time that is left that one solve may take, so that the later ones get theirs."""


@dataclass(kw_only=True)
class Clock:
    """Hands out what is left of the time limit, and passes progress on.

    Parameters
    ----------
    options
        Time limit, seed and threads of the whole run.
    progress, cancelled
        Callbacks of the caller.
    executor
        Runs what is independent side by side; None: nothing leaves this process.
    """

    options: PlanOptions
    progress: Callable[[Progress], None] | None = None
    cancelled: Callable[[], bool] | None = None
    executor: Executor | None = None
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed_s(self) -> float:
        """Seconds since planning began."""
        return time.monotonic() - self.started

    @property
    def is_cancelled(self) -> bool:
        """Whether the caller wants to stop."""
        return self.cancelled is not None and self.cancelled()

    @property
    def is_over(self) -> bool:
        """Whether the time limit has passed."""
        limit = self.options.time_limit_s
        return limit is not None and self.elapsed_s >= limit

    @property
    def left_s(self) -> float | None:
        """Seconds left of the time limit; None without one."""
        limit = self.options.time_limit_s
        return None if limit is None else max(0.0, limit - self.elapsed_s)

    def until(self, share: float) -> Clock:
        """A clock that is over when so much of the time that is left has passed."""
        left = self.left_s
        if left is None:
            return self
        limit_s = max(self.elapsed_s + share * left, 1e-6)
        return replace(self, options=replace(self.options, time_limit_s=limit_s))

    def report(self, phase: str) -> None:
        """Tell the caller that a phase begins."""
        if self.progress is not None:
            self.progress(Progress(phase=phase, elapsed_s=self.elapsed_s))

    def solve_options(self, phase: str) -> SolveOptions:
        """Return options for the next solve of a phase."""
        limit = self.options.time_limit_s
        left = None if limit is None else max(SHORTEST_SOLVE_S, ROUND_SHARE * (limit - self.elapsed_s))

        def forward(inner: SolverProgress) -> None:
            assert self.progress is not None
            self.progress(
                Progress(
                    phase=phase,
                    elapsed_s=self.elapsed_s,
                    objective=inner.objective,
                    bound=inner.bound,
                    gap=inner.gap,
                )
            )

        return SolveOptions(
            time_limit_s=left,
            gap=PROVEN_GAP,
            threads=self.options.threads,
            seed=self.options.seed,
            on_progress=forward if self.progress is not None else None,
            cancelled=self.cancelled,
        )
