"""Plans of regions, put together into the plan of the fleet."""

from __future__ import annotations

from collections.abc import Sequence

from planner.assemble import make_basis, make_outcomes, make_pool_uses
from planner.clock import PROVEN_GAP
from planner.fleet.fleet import Fleet
from planner.plan import Objective, Plan
from planner.plan.check import check_plan
from planner.plan.moves import moves_between
from planner.plan.verification import Verification
from planner.version import fulcrum_version
from solvers.result import relative_gap

__all__ = ["merged"]


def merged(fleet: Fleet, plans: Sequence[Plan], *, bound: float | None, current: Plan | None) -> Plan:
    """One plan, checked as any other.

    Every workload is in one of the plans, every pool in at most one; pools of no plan are unused.

    Parameters
    ----------
    bound
        Price per hour below which no plan of the fleet can be.
    current
        The plan that runs today, of the whole fleet.
    """
    instances = tuple(sorted((i for plan in plans for i in plan.instances), key=lambda i: i.name))
    uses = make_pool_uses(fleet, instances)
    cost = sum((use.cost_per_hour for use in uses), 0.0)
    below = None if bound is None else min(bound, cost)
    gap = relative_gap(cost, below)
    cost_first = fleet.goals[:2] == ("unserved_demand", "cost")
    objectives = _objectives(plans, cost, below if cost_first else None)
    proven = gap is not None and gap <= PROVEN_GAP and cost_first and fleet.goals[2:] == ()
    plan = Plan(
        fulcrum_version=fulcrum_version(),
        fleet=fleet.name,
        fleet_digest=fleet.digest,
        seed=plans[0].seed,
        state="cancelled"
        if any(p.state == "cancelled" for p in plans)
        else "optimal"
        if proven
        else "feasible",
        cost_per_hour=cost,
        instances=instances,
        workloads=make_outcomes(fleet, instances),
        pools=uses,
        objectives=objectives,
        moves=moves_between(current.instances, instances) if current is not None else (),
        basis=make_basis(fleet, instances),
        kv_transfers=tuple(one for plan in plans for one in plan.kv_transfers),
        notes=tuple(dict.fromkeys(note for plan in plans for note in plan.notes)),
        verification=_verification(fleet, plans),
    )
    check_plan(fleet, plan)
    return plan


def _objectives(plans: Sequence[Plan], cost: float, bound: float | None) -> tuple[Objective, ...]:
    """Tiers of the regions added up; a bound of the whole is claimed for cost alone, and 0 for what is 0."""
    names = dict.fromkeys((o.stage, o.name) for plan in plans for o in plan.objectives)
    found = []
    for stage, name in names:
        parts = [o for plan in plans for o in plan.objectives if (o.stage, o.name) == (stage, name)]
        value = cost if name == "cost" else sum(part.value for part in parts)
        below = bound if name == "cost" else 0.0 if value == 0.0 else None
        if stage == "placement":  # of one pool, and so of one region
            below = parts[0].bound
        found.append(
            Objective(stage=stage, name=name, value=value, bound=below, gap=relative_gap(value, below))
        )
    return tuple(sorted(found, key=lambda o: o.stage != "sizing"))


def _verification(fleet: Fleet, plans: Sequence[Plan]) -> Verification | None:
    """Of every workload in its region; None where a region was not verified."""
    parts = [plan.verification for plan in plans if plan.verification is not None]
    if len(parts) < len(plans):
        return None
    order = {workload.name: index for index, workload in enumerate(fleet.workloads)}
    replays = sorted((r for part in parts for r in part.replays), key=lambda r: order[r.workload])
    return Verification(
        seed=parts[0].seed,
        arrivals=max((part.arrivals for part in parts), key=len),
        corrections=tuple(text for part in parts for text in part.corrections),
        replays=tuple(replays),
        met=all(part.met for part in parts),
    )
