"""The periods of a fleet in its plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.candidates.candidate import Candidate
from planner.clock import Clock
from planner.payback import with_payback
from planner.plan.schedule import Change, InstanceCount, PeriodPlan, RoleRatio, Schedule
from planner.rounds import Rounds
from planner.sizing.changes import changes_between
from planner.sizing.problem import SizingProblem
from planner.sizing.schedule import ScheduleCounts, solve_schedule

__all__ = ["make_schedule"]


def make_schedule(rounds: Rounds, clock: Clock, before: Schedule | None = None) -> Schedule | None:
    """Size the other periods beside the placed one; None without periods, or where that was not possible.

    Parameters
    ----------
    before
        The schedule of the current plan, to go on with where there is no time for more.
    """
    if rounds.problem.fleet.periods is None or not rounds.sizing.counts:
        return None
    clock.report("periods")
    known = None if before is None else _counts_of(rounds.problem, before)
    solved = solve_schedule(rounds.problem, rounds.sizing.counts, clock, known, each_s=rounds.sizing_s)
    return None if solved is None else _written(rounds.problem, solved, clock)


def _counts_of(problem: SizingProblem, schedule: Schedule) -> list[dict[int, int]]:
    """Counts by candidate in each period of a schedule, without shapes that are no candidates any more."""
    column = {_way(candidate): index for index, candidate in enumerate(problem.candidates)}
    return [
        {column[_way(each)]: each.instances for each in period.counts if _way(each) in column}
        for period in schedule.periods
    ]


def _way(each: Candidate | InstanceCount) -> tuple[object, ...]:
    """What tells candidates of a fleet apart: each workload has one model, in one precision."""
    return (
        each.workload, each.role, each.pool, each.tensor_parallel_size, each.pipeline_parallel_size,
        each.data_parallel_size, each.expert_parallel_size,
    )  # fmt: skip


def _written(problem: SizingProblem, solved: ScheduleCounts, clock: Clock) -> Schedule:
    periods = problem.fleet.periods
    assert periods is not None
    before = solved.periods[-1].counts if periods.is_a_day else solved.periods[0].counts
    made = []
    for number, period in enumerate(solved.periods):
        made.append(
            PeriodPlan(
                period=number,
                placed=number == periods.placed,
                cost_per_hour=period.cost_per_hour,
                gpus_used=sum(problem.candidates[c].gpus * n for c, n in period.counts.items()),
                unserved_share=period.unserved,
                counts=tuple(
                    _count(problem, index, period.counts.get(index, 0), before.get(index, 0))
                    for index in sorted(period.counts.keys() | before.keys())
                ),
                ratios=_ratios(problem, period.counts),
                changes=with_payback(
                    problem.at(number),
                    tuple(_changes(problem, before, period.counts)),
                    before,
                    period.cost_per_hour,
                    clock,
                ),
            )
        )
        before = period.counts
    return Schedule(
        period_length_s=periods.length_s,
        cost=solved.cost,
        bound=solved.bound,
        gap=solved.gap,
        periods=tuple(made),
    )


def _changes(problem: SizingProblem, before: Mapping[int, int], after: Mapping[int, int]) -> Iterator[Change]:
    rows = ([counts.get(i, 0) for i in range(len(problem.candidates))] for counts in (before, after))
    return changes_between(problem.fleet, problem.candidates, *rows)


def _ratios(problem: SizingProblem, counts: Mapping[int, int]) -> tuple[RoleRatio, ...]:
    """Prefill against decode of the workloads that have either."""
    found = []
    for workload in problem.fleet.workloads:
        mine = [
            (problem.candidates[index], count)
            for index, count in counts.items()
            if problem.candidates[index].workload == workload.name
        ]
        instances = {role: sum(n for c, n in mine if c.role == role) for role in ("prefill", "decode")}
        gpus = {role: sum(n * c.gpus for c, n in mine if c.role == role) for role in ("prefill", "decode")}
        if any(instances.values()):
            found.append(
                RoleRatio(
                    workload=workload.name,
                    prefill=instances["prefill"],
                    decode=instances["decode"],
                    prefill_gpus=gpus["prefill"],
                    decode_gpus=gpus["decode"],
                )
            )
    return tuple(found)


def _count(problem: SizingProblem, index: int, count: int, before: int) -> InstanceCount:
    c = problem.candidates[index]
    return InstanceCount(
        workload=c.workload,
        role=c.role,
        pool=c.pool,
        tensor_parallel_size=c.tensor_parallel_size,
        pipeline_parallel_size=c.pipeline_parallel_size,
        data_parallel_size=c.data_parallel_size,
        expert_parallel_size=c.expert_parallel_size,
        instances=count,
        change=count - before,
    )
