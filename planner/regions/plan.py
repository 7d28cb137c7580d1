"""Divide, plan side by side, put together; divide again where a region could not be planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from planner.candidates.dominance import undominated
from planner.candidates.enumerate import enumerate_candidates
from planner.clock import Clock
from planner.executors import Executor
from planner.fleet.fleet import Fleet
from planner.pipeline import plan_fleet
from planner.plan import Plan
from planner.regions.divide import cost_bound, divide, ways_of
from planner.regions.merge import merged
from planner.regions.region import Region, regional_fleet, regions_of, why_whole
from planner.tasks import PlanTask, plan_all
from planner.transition.between_plans import transition_between

__all__ = ["ByRegion", "plan_by_region"]

MOST_DIVISIONS = 4
LESS_ROOM = 0.9
"""Of its GPUs, what a region that could not be planned is given the next time, times what it had."""
REGIONS_SHARE = 0.5
"""Of the time that is left, the most that regions take: the other half is for planning the whole."""
DIVIDE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ByRegion:
    """A plan, and how it came about.

    Parameters
    ----------
    region_of
        Region of each workload; empty where the fleet was planned as a whole.
    divisions
        How often demand was divided.
    cost_bound
        Price per hour below which no plan of the fleet can be; None without any.
    why_whole
        Why the fleet was planned as a whole; None: it was planned by regions.
    """

    plan: Plan
    region_of: dict[str, str]
    divisions: int
    cost_bound: float | None
    why_whole: str | None

    def sentence(self) -> str:
        """For people: how it went, and the price against the bound."""
        if self.why_whole is not None:
            return f"planned as a whole, not by regions: {self.why_whole}"
        counts: dict[str, int] = {}
        for region in self.region_of.values():
            counts[region] = counts.get(region, 0) + 1
        parts = ", ".join(f"{count} workloads in {name}" for name, count in counts.items())
        cost = self.plan.cost_per_hour
        text = f"planned by regions ({parts})"
        if self.cost_bound is not None and cost > 0:
            above = 100 * max(0.0, 1 - self.cost_bound / cost)
            text += (
                f": {cost:,.2f}/h, at most {above:.1f} % above any plan of the whole fleet "
                f"(none costs less than {self.cost_bound:,.2f}/h)"
            )
        return text


def plan_by_region(
    fleet: Fleet, clock: Clock, executor: Executor, *, current: Plan | None = None
) -> ByRegion:
    """Plan a fleet by regions, or as a whole where that cannot be done or does not succeed.

    Wherever the whole fleet can be planned, a plan is found: what regions fail at, `plan_fleet` tries.
    """
    reason = why_whole(fleet)
    if reason is not None:
        return _whole(fleet, clock, current, reason, divisions=0, bound=None)
    clock.report("candidates")
    accepted = enumerate_candidates(
        fleet, cancelled=lambda: clock.is_cancelled, confidence=clock.options.confidence
    ).accepted
    regions = regions_of(fleet)
    clock.report("dividing")
    candidates = undominated(accepted)
    bound = cost_bound(fleet, candidates)
    ways = ways_of(fleet, candidates, regions)
    room = dict.fromkeys((region.name for region in regions), 1.0)
    reason = "the demand cannot be divided so that each workload fits one region"
    keep = _homes(fleet, current, regions)
    divisions = 0
    while divisions < MOST_DIVISIONS and not (clock.is_over or clock.is_cancelled):
        limit_s = _seconds(clock, DIVIDE_S)
        division = divide(fleet, ways, regions, room=room, keep=keep, time_limit_s=limit_s)
        if division is None and keep:
            keep = {}
            continue
        if division is None:
            break
        divisions += 1
        plans = _plans(fleet, regions, division, clock, executor, current)
        failed = [name for name, plan in plans.items() if plan is None or not plan.instances]
        if not failed:
            clock.report("assembling")
            plan = merged(fleet, [p for p in plans.values() if p is not None], bound=bound, current=current)
            if current is not None:
                clock.report("transition")
                plan = replace(plan, transition=transition_between(fleet, current, plan))
            return ByRegion(
                plan=plan, region_of=division, divisions=divisions, cost_bound=bound,
                why_whole=None,
            )  # fmt: skip
        reason = f"no division tried left every region enough ({', '.join(failed)} could not be planned)"
        keep = {name: where for name, where in keep.items() if where not in failed}
        for name in failed:
            room[name] *= LESS_ROOM
    return _whole(fleet, clock, current, reason, divisions=divisions, bound=bound)


def _plans(
    fleet: Fleet,
    regions: Sequence[Region],
    division: Mapping[str, str],
    clock: Clock,
    executor: Executor,
    current: Plan | None,
) -> dict[str, Plan | None]:
    """Plan of each region; None where planning was cancelled before it."""
    limit_s = _seconds(clock, None)
    options = replace(clock.options, time_limit_s=limit_s)
    tasks, names = [], []
    for region in regions:
        mine = {name for name, where in division.items() if where == region.name}
        if not mine:
            continue
        names.append(region.name)
        tasks.append(
            PlanTask(
                fleet=regional_fleet(fleet, region, mine),
                options=options,
                current=_regional_plan(current, region),
            )
        )
    made = plan_all(tasks, executor, progress=clock.progress, cancelled=clock.cancelled)
    return dict(zip(names, made, strict=True))


def _homes(fleet: Fleet, current: Plan | None, regions: Sequence[Region]) -> dict[str, str]:
    """Region of the workloads that run in one region today: they stay there if they can."""
    if current is None:
        return {}
    region_of = {pool: region.name for region in regions for pool in region.pools}
    names = {workload.name for workload in fleet.workloads}
    found: dict[str, set[str]] = {}
    for instance in current.instances:
        if instance.pool in region_of and instance.workload in names:
            found.setdefault(instance.workload, set()).add(region_of[instance.pool])
    return {workload: min(where) for workload, where in found.items() if len(where) == 1}


def _regional_plan(current: Plan | None, region: Region) -> Plan | None:
    """What runs in a region today."""
    if current is None:
        return None
    return replace(current, instances=tuple(i for i in current.instances if i.pool in region.pools))


def _seconds(clock: Clock, most: float | None) -> float | None:
    """A share of the time that is left, and at most so much."""
    left = clock.left_s
    shares = [s for s in (None if left is None else max(0.5, REGIONS_SHARE * left), most) if s is not None]
    return min(shares, default=None)


def _whole(
    fleet: Fleet, clock: Clock, current: Plan | None, why: str, *, divisions: int, bound: float | None
) -> ByRegion:
    plan = plan_fleet(fleet, clock, current=current).plan
    return ByRegion(plan=plan, region_of={}, divisions=divisions, cost_bound=bound, why_whole=why)
