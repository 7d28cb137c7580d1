"""Listeners to the members of a portfolio, who say when one of them should end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from solvers.options import Progress

__all__ = ["Enough", "Watch"]


@dataclass(slots=True)
class Enough:
    """Listens to a search until no tier can become better than it is.

    ``bounds_for``: from the tiers' values to what is proven for assignments as good as that.
    """

    bounds_for: Callable[[tuple[float, ...]], list[float | None]]
    n_tiers: int
    seen: dict[int, float] = field(default_factory=dict)

    def hearing(self, then: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
        def hear(progress: Progress) -> None:
            if progress.objective is not None and progress.objective != self.seen.get(progress.tier):
                # what later tiers had may have been given up for this
                self.seen = {tier: value for tier, value in self.seen.items() if tier < progress.tier}
                self.seen[progress.tier] = progress.objective
            if then is not None:
                then(progress)

        return hear

    @property
    def reached(self) -> bool:
        if not self.n_tiers or len(self.seen) < self.n_tiers:
            return False
        values = tuple(self.seen[i] for i in range(self.n_tiers))
        return all(
            b is not None and v <= b + 1e-12 * max(1.0, abs(b))
            for v, b in zip(values, self.bounds_for(values), strict=True)
        )


@dataclass(slots=True)
class Watch:
    """Listens to branch and bound: is the gap of the tier at work wider than `limit`?"""

    limit: float
    gap: float | None = None

    def hearing(self, then: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
        def hear(progress: Progress) -> None:
            self.gap = progress.gap
            if then is not None:
                then(progress)

        return hear

    @property
    def wide(self) -> bool:
        return self.gap is None or self.gap > self.limit
