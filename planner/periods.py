"""The periods of a fleet in its plan."""

from __future__ import annotations

from planner.clock import Clock
from planner.plan.schedule import InstanceCount, PeriodPlan, Schedule
from planner.rounds import Rounds
from planner.sizing.problem import SizingProblem
from planner.sizing.schedule import ScheduleCounts, solve_schedule

__all__ = ["make_schedule"]


def make_schedule(rounds: Rounds, clock: Clock) -> Schedule | None:
    """Size the other periods beside the placed one; None without periods, or where that was not possible."""
    if rounds.problem.fleet.periods is None or not rounds.sizing.counts:
        return None
    clock.report("periods")
    solved = solve_schedule(rounds.problem, rounds.sizing.counts, clock)
    return None if solved is None else _written(rounds.problem, solved)


def _written(problem: SizingProblem, solved: ScheduleCounts) -> Schedule:
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
