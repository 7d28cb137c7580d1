"""One turn of the rebalancing job."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from models.errors import InvalidInput
from planner.options import PlanOptions, Progress
from planner.plan import Move, Plan
from planner.plan.outcome import WorkloadOutcome
from planner.rebalance.demand import (
    Outlook,
    look_ahead,
    moving_little,
    wanted_of,
    with_rates,
    without_nodes,
)
from planner.rebalance.follow import ended_badly, follow, live_rollout, lost_nodes, outcome_of
from planner.rebalance.rules import (
    Rules,
    missed_targets,
    reason_to_stay,
    reasons_against,
    reasons_to_plan,
    suffices,
)
from planner.rebalance.series import Measured, Source
from planner.rebalance.shortfall import Shortfall, Term, has_misses, shortfall
from planner.service.client import PlanClient
from planner.service.fleet_client import FleetClient, FleetState, Promoted, RolloutState

__all__ = ["Decision", "Turn", "rebalance_once"]

Decision = Literal[
    "hold", "promoted", "rolling", "waiting", "rolled back", "rollout failed", "measurements stale",
    "targets missed",
]  # fmt: skip
"""``targets missed``: and no plan would help. ``rolling``: engines are on their way to the promoted plan.
``waiting``: there is a better plan, and someone must promote it. ``rollout failed``: of a promotion this job
did not make, or of taking one back."""
REASON = "rebalance: "
"""Begins the reason of every promotion by the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn saw and did.

    Parameters
    ----------
    reasons
        Why, a sentence each.
    outlooks
        What is expected of each workload.
    plan
        Resource name of the plan that was made; empty when none was.
    moves
        From the promoted plan to it.
    price_per_hour, new_price_per_hour
        Of the promoted plan and of the new one; None where there is none.
    """

    decision: Decision
    reasons: tuple[str, ...]
    outlooks: tuple[Outlook, ...]
    plan: str = ""
    moves: tuple[Move, ...] = ()
    price_per_hour: float | None = None
    new_price_per_hour: float | None = None


def rebalance_once(
    fleet: str,
    fleets: FleetClient,
    plans: PlanClient,
    source: Source,
    rules: Rules,
    *,
    automatic: bool,
    options: PlanOptions,
    now_s: float | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Turn:
    """Look at the load of a fleet, and change its plan if it must or pays.

    The fleet's lease is held throughout: two jobs never act on one fleet.

    Parameters
    ----------
    fleet
        A registered fleet.
    automatic
        Whether a plan that passes the rules is promoted; else it waits for someone.
    options
        For the planning; with a time limit, so that the lease does not run out.
    now_s
        Seconds since the epoch; None: by the clock.

    Raises
    ------
    Unavailable
        The server or the measurements cannot be reached, or another job holds the lease.
    InvalidInput
        The fleet is not registered, or the measurements are not of its workloads.
    """
    with _leased(fleets, fleet, (options.time_limit_s or 300.0) + 120.0) as (state, holder):
        now = time.time() if now_s is None else now_s
        wanted = wanted_of(state.document)
        measured = source.read(wanted, end_s=now, length_s=rules.history_s)
        outlooks = tuple(look_ahead(w.workload, measured[w.workload], rules, now_s=now) for w in wanted)
        current = plans.get_plan(state.promoted_plan) if state.promoted_plan else None
        last = next(iter(fleets.history(fleet, limit=1)), None)
        rollout, lost = live_rollout(fleets, fleet), lost_nodes(fleets, fleet)
        if rollout is not None and rollout.state != "done" and not lost & set(rollout.waiting_nodes):
            return _unfinished(fleets, fleet, rollout, last, holder, rules, outlooks, now)
        missed = _misses(
            rules, plans, current, last, outlooks, now, None if rollout is None else rollout.end_s
        )
        if missed:
            return _take_back(fleets, fleet, missed, holder, rules, outlooks)
        stale = tuple(f"{o.workload}: {o.stale}" for o in outlooks if o.stale)
        if stale:
            return Turn(decision="measurements stale", reasons=stale, outlooks=outlooks)
        short = _shortfalls(rules, plans, fleets.history(fleet), current, measured, now)
        outlooks = tuple(replace(o, factor=short[o.workload].factor) for o in outlooks)
        rates = {o.workload: o.factor * o.forecast.upper_per_s for o in outlooks if o.forecast is not None}
        document = with_rates(state.document, {name: max(rate, 1e-6) for name, rate in rates.items()})
        demand = _demand(document)
        broken = _broken(current, lost)
        why = broken + reasons_to_plan(rules, current, demand, None if last is None else now - last.time_s)
        if not why:
            helpless = tuple(s.reason for s in short.values() if s.hopeless)
            return Turn(
                decision="targets missed" if helpless else "hold", outlooks=outlooks,
                reasons=helpless or ("the promoted plan carries what is expected",),
            )  # fmt: skip
        why += tuple(s.reason for s in short.values() if s.reason)
        if current is not None and (broken or not suffices(current, demand)):
            document = moving_little(document)  # what must be done is done quickly; saving can wait
        name, new = plans.make_plan(
            without_nodes(document, lost), options=options, current=current, progress=progress
        )
        against = reasons_against(rules, new)
        stay = None if against or broken else reason_to_stay(rules, current, new, demand)
        decision: Decision = "hold" if stay else "waiting" if against or not automatic else "promoted"
        reasons = (*why, stay) if stay else why + against
        if decision == "promoted":
            fleets.promote(
                fleet, name, etag=state.etag, holder=holder, request_id=name.removeprefix("plans/"),
                reason=(REASON + "; ".join(reasons))[:500],
            )  # fmt: skip
            begun = live_rollout(fleets, fleet)
            if begun is not None:
                ended = follow(fleets, fleet, begun.generation, holder, step_timeout_s=rules.step_timeout_s)
                if ended.state != "done":
                    why = (f"{name}: the rollout {ended.state}: {ended.reason}",)
                    return _take_back(fleets, fleet, why, holder, rules, outlooks)
                reasons = (*reasons, outcome_of(ended))
        return Turn(
            decision=decision, reasons=reasons, outlooks=outlooks, plan=name, moves=new.moves,
            price_per_hour=None if current is None else current.cost_per_hour,
            new_price_per_hour=new.cost_per_hour,
        )  # fmt: skip


def _broken(current: Plan | None, lost: Collection[str]) -> tuple[str, ...]:
    """What of the promoted plan is gone with the nodes that are lost."""
    instances = () if current is None else current.instances
    return tuple(
        f"node {node} is lost, with {', '.join(gone[:5])} of the promoted plan"
        for node in sorted(lost)
        if (gone := [i.name for i in instances if any(stage.node == node for stage in i.stages)])
    )


def _unfinished(
    fleets: FleetClient, fleet: str, rollout: RolloutState, last: Promoted | None, holder: str, rules: Rules,
    outlooks: tuple[Outlook, ...], now: float,
) -> Turn:  # fmt: skip
    """What becomes of a rollout that an earlier turn, or someone else, began."""
    bad = ended_badly(rollout, now, rules.step_timeout_s)
    if not bad:
        return Turn(decision="rolling", reasons=(outcome_of(rollout),), outlooks=outlooks)
    if last is None or not _ours(last):
        return Turn(decision="rollout failed", reasons=(bad,), outlooks=outlooks)
    return _take_back(fleets, fleet, (bad,), holder, rules, outlooks)


def _take_back(
    fleets: FleetClient, fleet: str, why: tuple[str, ...], holder: str, rules: Rules,
    outlooks: tuple[Outlook, ...],
) -> Turn:  # fmt: skip
    """Promote the plan before again, and see it come to run where there are engines."""
    fleets.roll_back(fleet, holder=holder, reason=(REASON + why[0])[:500])
    decision: Decision = "rolled back"
    begun = live_rollout(fleets, fleet)
    if begun is not None:
        ended = follow(fleets, fleet, begun.generation, holder, step_timeout_s=rules.step_timeout_s)
        why = (*why, outcome_of(ended))
        if ended.state != "done":
            decision = "rollout failed"
    return Turn(decision=decision, reasons=why, outlooks=outlooks)


def _ours(last: Promoted) -> bool:
    """Whether this job may take a promotion back: it made it, and something was promoted before."""
    return last.kind == "promote" and bool(last.previous_plan) and last.reason.startswith(REASON)


def _misses(
    rules: Rules, plans: PlanClient, current: Plan | None, last: Promoted | None,
    outlooks: tuple[Outlook, ...], now: float, done_s: float | None,
) -> tuple[str, ...]:  # fmt: skip
    """Missed targets for which the last promotion is to be taken back; `done_s` is when its rollout ended."""
    if current is None or last is None or not _ours(last):
        return ()
    since_s = now - (last.time_s if done_s is None else done_s)
    if since_s > rules.watch_s:
        return ()
    if since_s < rules.warm_up_s:
        return ()  # engines just started: what is measured is of cold ones
    before = plans.get_plan(last.previous_plan)
    return missed_targets(
        rules, current, before, {o.workload: (o.ttft_ms, o.tpot_ms) for o in outlooks},
        {o.workload: o.rate_per_s or 0.0 for o in outlooks}, [o.workload for o in outlooks if o.stale],
    )  # fmt: skip


def _shortfalls(
    rules: Rules, plans: PlanClient, history: Sequence[Promoted], current: Plan | None,
    measured: Mapping[str, Measured], now: float,
) -> dict[str, Shortfall]:  # fmt: skip
    """What missed targets say of the plans of the last season, by workload."""
    targets = {} if current is None else {o.name: o for o in current.workloads}
    suspects = [
        name
        for name, series in measured.items()
        if (o := targets.get(name)) is not None
        and has_misses(series, o.ttft_target_ms, o.tpot_target_ms, rules)
    ]
    found = dict.fromkeys(measured, Shortfall())
    if not suspects:
        return found
    terms: dict[str, list[Term]] = {name: [] for name in suspects}
    end_s = now
    for entry in history:  # the newest first
        for outcome, count in _promises(current if end_s == now else None, plans, entry.plan):
            if outcome.name in terms:
                begin_s = entry.time_s + rules.warm_up_s
                term = Term(begin_s=begin_s, end_s=end_s, outcome=outcome, instances=count)
                terms[outcome.name].append(term)
        end_s = entry.time_s
        if end_s < now - rules.season_s:
            break
    return found | {name: shortfall(measured[name], terms[name], rules) for name in suspects}


def _promises(plan: Plan | None, plans: PlanClient, name: str) -> list[tuple[WorkloadOutcome, int]]:
    """What a plan that was promoted says of its workloads, and how many instances each has."""
    try:
        plan = plan or plans.get_plan(name)
    except InvalidInput:  # of another version of Fulcrum: what it promised cannot be read
        return []
    counts = Counter(instance.workload for instance in plan.instances)
    return [(outcome, counts[outcome.name]) for outcome in plan.workloads]


def _demand(document: str) -> dict[str, float]:
    """Demand by workload, with the headroom of the document."""
    from planner.fleet import read_fleet

    fleet = read_fleet(document, source="the registered fleet", allow_files=False)
    return {w.name: w.rate_per_s * (1 + fleet.policies.headroom) for w in fleet.workloads}


@contextlib.contextmanager
def _leased(fleets: FleetClient, fleet: str, lease_s: float) -> Iterator[tuple[FleetState, str]]:
    """Hold the lease of a fleet."""
    holder = f"rebalance-{socket.gethostname()[:32]}-{os.getpid()}-{time.monotonic_ns() % 10**9}"
    state = fleets.acquire(fleet, holder, min(lease_s, 3600.0))
    try:
        yield state, holder
    finally:
        fleets.release(fleet, holder)
