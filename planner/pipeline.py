"""From a fleet document to a plan: the whole way on one screen.

``read → candidates → ((sizing → placement)* → assemble → check → replay)* → periods → transition``.
Infeasible means that nothing can work; that, time limits and cancellation are states of the plan, not errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from planner.adapters.assign import with_adapters
from planner.assemble import make_basis, make_instances, make_notes, make_outcomes, make_pool_uses
from planner.candidates.candidate import Candidate
from planner.candidates.dominance import undominated
from planner.candidates.enumerate import Candidates
from planner.candidates.known import known_candidates
from planner.clock import Clock
from planner.explain.diagnosis import diagnose
from planner.fleet import Fleet, read_fleet
from planner.goals import merged_objectives, plan_state
from planner.options import PlanOptions, Progress
from planner.periods import make_schedule
from planner.plan import Plan, Stage
from planner.plan.check import check_plan
from planner.plan.moves import moves_between
from planner.rounds import Rounds, size_and_place
from planner.topology.paths import kv_transfers, with_paths
from planner.transition.between_plans import transition_between
from planner.verify import Replayer, recalled, verify
from planner.version import fulcrum_version

__all__ = ["PlanOptions", "Planned", "Progress", "create_plan", "plan_fleet"]

PERIODS_SHARE = 0.3
"""Part of the time after the first plan that repairs leave for the other periods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan with what it was chosen from, for explanations.

    Parameters
    ----------
    rounds
        What it was made from; None of a plan that was made before.
    """

    fleet: Fleet
    plan: Plan
    candidates: Candidates
    considered: tuple[Candidate, ...]
    rounds: Rounds | None = None


def create_plan(
    document: str,
    *,
    source: str | None = None,
    options: PlanOptions | None = None,
    current: Plan | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    base_dir: Path | None = None,
    allow_files: bool = True,
) -> Plan:
    """Make a plan for a fleet document.

    Parameters
    ----------
    document
        YAML or JSON text.
    source, base_dir, allow_files
        As in `planner.fleet.read_fleet`.
    current
        The plan that runs today.
    progress
        Called at the start of each phase and as the solver finds better plans.
    cancelled
        Asked every now and then; once true, the best plan found so far is returned in state ``cancelled``.

    Raises
    ------
    InvalidInput
        The document says something that cannot be meant.
    SolverFailed
        A solver broke, or the finished plan did not pass `planner.plan.check`.
    """
    fleet = read_fleet(document, source=source, base_dir=base_dir, allow_files=allow_files)
    clock = Clock(options=options or PlanOptions(), progress=progress, cancelled=cancelled)
    return plan_fleet(fleet, clock, current=current).plan


def plan_fleet(fleet: Fleet, clock: Clock, *, current: Plan | None = None) -> Planned:
    """Make a plan for a fleet; see `create_plan`."""
    clock.report("candidates")
    candidates = known_candidates(
        fleet, cancelled=lambda: clock.is_cancelled, confidence=clock.options.confidence
    )
    replayer = Replayer(fleet=fleet, seed=clock.options.seed, executor=clock.executor)
    known: tuple[str, ...] = ()
    if clock.options.verify and current is not None and not clock.is_over:
        before = recalled(replayer, current, candidates.accepted)
        if before is not None:
            candidates, known = replace(candidates, accepted=before.candidates), before.sentences
    planned = _plan(fleet, candidates, clock, current)
    if clock.options.verify and planned.plan.instances and not clock.is_cancelled:

        def again(accepted: Sequence[Candidate]) -> Planned:
            return _plan(fleet, replace(candidates, accepted=tuple(accepted)), clock, current)

        repairs = clock if fleet.periods is None else clock.until(1 - PERIODS_SHARE)
        planned = verify(planned, again, repairs, replayer, known)
    if planned.rounds is not None and planned.plan.instances:
        # After the last repair: nothing of the other periods is looked at before.
        schedule = make_schedule(planned.rounds, clock, None if current is None else current.schedule)
        planned = replace(planned, plan=replace(planned.plan, schedule=schedule))
    if current is not None and planned.plan.instances:
        clock.report("transition")
        transition = transition_between(fleet, current, planned.plan)
        planned = replace(planned, plan=replace(planned.plan, transition=transition))
    return planned


def _plan(fleet: Fleet, candidates: Candidates, clock: Clock, current: Plan | None) -> Planned:
    """From candidates to a checked plan."""
    running = current.instances if current is not None else ()
    considered = undominated(candidates.accepted, keep={instance.shape for instance in running})
    rounds = size_and_place(fleet, considered, running, clock)
    clock.report("assembling")
    considered = with_paths(fleet, rounds.tenants, rounds.problem.candidates, _stages(rounds))
    plan = _assemble(fleet, candidates, considered, rounds, clock, current)
    check_plan(fleet, plan)
    return Planned(fleet=fleet, plan=plan, candidates=candidates, considered=considered, rounds=rounds)


def _stages(rounds: Rounds) -> Mapping[str, tuple[Stage, ...]]:
    """Where instances run, by name; nothing when some found no place."""
    placement = rounds.placement
    return placement.stages if placement is not None and not placement.misplaced else {}


def _assemble(
    fleet: Fleet,
    candidates: Candidates,
    considered: Sequence[Candidate],
    rounds: Rounds,
    clock: Clock,
    current: Plan | None,
) -> Plan:
    """Put the parts together; a plan that may not be run holds no instances and says why."""
    running = current.instances if current is not None else ()
    stages = _stages(rounds)
    instances = make_instances(fleet, rounds.tenants, considered, stages, candidates.known)
    instances = with_adapters(fleet, instances, running, lambda: clock.solve_options("adapters"))
    outcomes = make_outcomes(fleet, instances)
    uses = make_pool_uses(fleet, instances)
    state = plan_state(rounds, outcomes, fleet.policies.shortage, cancelled=clock.is_cancelled)
    diagnosis = diagnose(fleet, candidates, considered, rounds, clock) if state == "infeasible" else None
    return Plan(
        fulcrum_version=fulcrum_version(),
        fleet=fleet.name,
        fleet_digest=fleet.digest,
        seed=clock.options.seed,
        state=state,
        cost_per_hour=sum((use.cost_per_hour for use in uses), 0.0) if instances else 0.0,
        instances=instances,
        workloads=outcomes,
        pools=uses,
        objectives=merged_objectives(rounds) if instances else (),
        moves=moves_between(running, instances) if current is not None and instances else (),
        basis=make_basis(fleet, instances),
        diagnosis=diagnosis,
        kv_transfers=kv_transfers(fleet, rounds.tenants, considered, stages),
        notes=make_notes(fleet, considered, instances, outcomes),
    )
