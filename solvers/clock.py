"""Time, progress and the wish to stop, for one solve."""

from __future__ import annotations

import time
from dataclasses import replace

from solvers.options import Progress, SolveOptions
from solvers.result import TrajectoryPoint, relative_gap

__all__ = ["Clock"]

REPORT_EVERY_S = 0.5
"""Least time between two progress reports without an improvement."""


class Clock:
    """Started when the solve starts; everything that runs asks it and tells it."""

    def __init__(self, options: SolveOptions) -> None:
        self._options = options
        self._started = time.monotonic()
        self._last_report = -REPORT_EVERY_S
        self._best: dict[int, float] = {}
        self.cancelled = False
        self.trajectory: list[TrajectoryPoint] = []

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    @property
    def remaining_s(self) -> float | None:
        """Seconds until the time limit, at least 0; None without one."""
        limit = self._options.time_limit_s
        return None if limit is None else max(limit - self.elapsed_s, 0.0)

    @property
    def stopped(self) -> bool:
        """Whether the time is over or the caller has cancelled (asks the caller)."""
        if not self.cancelled and self._options.cancelled is not None:
            self.cancelled = bool(self._options.cancelled())
        remaining = self.remaining_s
        return self.cancelled or (remaining is not None and remaining <= 0)

    def rest(self, share: float = 1.0) -> SolveOptions:
        """The options with `share` of the time that is left as their limit (10 ms at least)."""
        left = self.remaining_s
        return replace(self._options, time_limit_s=None if left is None else max(share * left, 0.01))

    def part(self, share: float) -> Clock:
        """A clock of its own for a phase that may take `share` of the time left; it reports nothing."""
        return Clock(replace(self.rest(share), on_progress=None))

    def report(
        self,
        phase: str,
        tier: int,
        objective: float | None,
        bound: float | None,
        evaluations_per_s: float | None = None,
    ) -> bool:
        """Record and pass on the state of the solve; True when it should stop."""
        now = self.elapsed_s
        better = objective is not None and objective < self._best.get(tier, float("inf"))
        if better and objective is not None:
            # a better value here may have been paid for in the later tiers: what they had does not count
            self._best = {t: value for t, value in self._best.items() if t < tier} | {tier: objective}
            self.trajectory.append(TrajectoryPoint(now, tier, objective, bound, evaluations_per_s))
        due = better or now - self._last_report >= REPORT_EVERY_S
        if due and self._options.on_progress is not None:
            self._last_report = now
            self._options.on_progress(
                Progress(
                    phase=phase,
                    elapsed_s=now,
                    tier=tier,
                    objective=self._best.get(tier),
                    bound=bound,
                    gap=relative_gap(self._best.get(tier), bound),
                    evaluations_per_s=evaluations_per_s,
                )
            )
        return self.stopped
