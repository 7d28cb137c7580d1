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
from planner.topology.flows import cache_bytes

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
    if rounds.problem.barred:
        return _links_too_narrow(fleet, rounds)
    return explain_shortage(fleet, considered, rounds, clock)


def _links_too_narrow(fleet: Fleet, rounds: Rounds) -> Diagnosis:
    """Demand could be served, but not over these links."""
    barred = [rounds.problem.candidates[index] for index in sorted(rounds.problem.barred)]
    pairs = sorted({(candidate.workload, candidate.zone) for candidate in barred})
    said = ", ".join(
        f"{workload} in {zone} ({_bytes_per_s(fleet, workload) / 1e9:.3g} GB/s)" for workload, zone in pairs
    )
    roles = "roles: [mixed, disaggregated], or " if "mixed" not in fleet.policies.roles else ""
    return Diagnosis(
        limit="network",
        subject=", ".join(sorted({workload for workload, _ in pairs})),
        message=f"the links of nodes and racks cannot carry the KV caches that these make apart: {said}",
        closest=f"{roles}wider links in pools[].network would help",
    )


def _bytes_per_s(fleet: Fleet, workload: str) -> float:
    """KV caches that a workload makes at its demand with headroom."""
    rate = fleet.workload(workload).rate_per_s * (1 + fleet.policies.headroom)
    return rate * cache_bytes(fleet, workload)


def servable(candidates: Collection[Candidate]) -> bool:
    """Whether candidates of one workload can serve whole requests: mixed, or both phases in one zone."""
    zones = {role: {c.zone for c in candidates if c.role == role} for role in ("mixed", "prefill", "decode")}
    return bool(zones["mixed"] or zones["prefill"] & zones["decode"])
