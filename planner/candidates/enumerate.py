"""Every way to run an instance of each workload on each pool, priced by the serving models."""

from __future__ import annotations

from collections.abc import Callable

from models.serving import Table, capacities_of
from planner.candidates.configure import instance_model, max_model_len, targets
from planner.candidates.ways import Candidates, Refusal, Ways
from planner.fleet.fleet import Fleet

__all__ = ["Candidates", "Refusal", "enumerate_candidates", "instance_model", "max_model_len", "targets"]


def enumerate_candidates(
    fleet: Fleet, *, cancelled: Callable[[], bool] | None = None, confidence: float | None = None
) -> Candidates:
    """Return the candidates of a fleet; a cancelled call returns those found so far.

    With `confidence` predictions stay so far below the targets that measurements keep them with that
    probability (`planner.candidates.margins`).
    """
    tried = [Ways(fleet, w, p, confidence) for w in fleet.workloads for p in fleet.pools]
    stop = cancelled or _never
    rows = [ways.settings() for ways in tried if not stop()]
    asked = 0
    while any(rows) and not stop():
        asked += sum(map(len, rows))
        # All workloads and pools are one table: the more rows, the less each costs.
        tables = [
            Table(
                instances=[built for _, _, built in mine],
                lengths=ways.workload.lengths,
                targets=ways.wanted,
                reuse=ways.workload.reuse,
                burstiness=ways.workload.arrivals(ways.slowdown),
            )
            for ways, mine in zip(tried, rows, strict=False)
        ]
        found = capacities_of(tables, rows=asked)
        rows = [ways.note(mine, each) for ways, mine, each in zip(tried, rows, found, strict=False)]
    made = [ways.candidates() for ways in tried]
    return Candidates(
        accepted=tuple(candidate for each in made for candidate in each.accepted),
        refused=tuple(refusal for each in made for refusal in each.refused),
    )


def _never() -> bool:
    return False
