"""Why there is no plan: the binding limit, and the closest thing that would work."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from planner.candidates.candidate import Candidate
from planner.candidates.enumerate import Candidates
from planner.clock import Clock
from planner.explain.shortage import explain_shortage
from planner.explain.unservable import explain_unservable
from planner.fleet.fleet import Fleet
from planner.plan.outcome import Diagnosis
from planner.rounds import Rounds

__all__ = ["diagnose", "servable"]


def diagnose(
    fleet: Fleet, candidates: Candidates, considered: Sequence[Candidate], rounds: Rounds, clock: Clock
) -> Diagnosis:
    """Return the first reason that holds: a workload nothing can serve, or too little supply."""
    for workload in sorted(fleet.workloads, key=lambda w: w.priority):
        mine = [candidate for candidate in candidates.accepted if candidate.workload == workload.name]
        if not servable(mine):
            refused = [refusal for refusal in candidates.refused if refusal.workload == workload.name]
            return explain_unservable(fleet, workload, mine, refused)
    return explain_shortage(fleet, considered, rounds, clock)


def servable(candidates: Collection[Candidate]) -> bool:
    """Whether candidates of one workload can serve whole requests: mixed, or both phases in one zone."""
    zones = {role: {c.zone for c in candidates if c.role == role} for role in ("mixed", "prefill", "decode")}
    return bool(zones["mixed"] or zones["prefill"] & zones["decode"])
