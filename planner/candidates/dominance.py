"""Candidates that no plan needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from planner.candidates.candidate import Candidate

__all__ = ["undominated"]


def undominated(
    candidates: Sequence[Candidate], *, keep: Collection[tuple[str, ...]] = ()
) -> tuple[Candidate, ...]:
    """Return the candidates without those that whole copies of another replace.

    ``a`` replaces ``b`` (same workload, pool and role, both inside a node) when ``m`` copies of ``a`` fit
    into the GPUs of one ``b`` and carry at least its load, ``m = gpus(b) // gpus(a)``: cost and supply do
    not grow, what fits a node still fits, and losing a node loses no more, since ``ceil(m·n / nodes) ≤ m ·
    ceil(n / nodes)``.

    Parameters
    ----------
    keep
        Shapes that stay whatever happens: those that run today.
    """
    groups: dict[tuple[str, str, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        groups[candidate.workload, candidate.pool, candidate.role].append(candidate)
    kept: set[int] = set()
    for group in groups.values():
        for b in group:
            rivals = (a for a in group if a is not b and _replaces(a, b))
            # Of two that replace each other the first in order stays.
            beaten = any(not _replaces(b, a) or group.index(a) < group.index(b) for a in rivals)
            if not beaten or b.shape in keep:
                kept.add(id(b))
    return tuple(candidate for candidate in candidates if id(candidate) in kept)


def _replaces(a: Candidate, b: Candidate) -> bool:
    """Whether whole copies of `a` do what one `b` does, on no more GPUs."""
    if a.groups > 1 or (b.groups > 1 and a.gpus > b.gpus_per_group):
        return False
    copies = sum(b.gpus_per_group // a.gpus for _ in range(b.groups))
    return copies >= 1 and copies * a.capacity_per_s >= b.capacity_per_s
