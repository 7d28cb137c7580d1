"""Replay, learn, plan again: until the plan meets its targets in simulation, or cannot be made to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from planner.candidates.candidate import Candidate
from planner.clock import Clock
from planner.plan import Plan
from planner.plan.verification import RECORDED, Replayed, Verification
from planner.report.numbers import duration, rate
from planner.verify.correct import corrected
from planner.verify.replay import Replayer

if TYPE_CHECKING:
    from planner.pipeline import Planned

__all__ = ["verify"]

MOST_REPAIRS = 4
LOADS = {
    "stated": "stated load",
    "peak": "peak load",
    "trace": "stated load with the arrivals of its trace",
    "trace_peak": "peak load with the arrivals of its trace",
}


def verify(
    planned: Planned,
    plan_again: Callable[[Sequence[Candidate]], Planned],
    clock: Clock,
    replayer: Replayer,
    known: Sequence[str] = (),
) -> Planned:
    """Return the plan with what the simulator saw of it, repaired where it missed its targets.

    Parameters
    ----------
    plan_again
        Makes a plan from all accepted candidates.
    known
        What was corrected before the plan was made.
    """
    learnt = list(known)
    for repairs in range(MOST_REPAIRS + 1):
        clock.report("verifying")
        replays = replayer.replay(planned.plan, planned.considered)
        stamped = replace(planned, plan=_stamped(planned.plan, replayer, replays, learnt))
        stop = repairs == MOST_REPAIRS or clock.is_over or clock.is_cancelled
        if stop or all(replayed.met for replayed in replays):
            return stamped
        found = corrected(
            replayer,
            planned.plan,
            planned.candidates.accepted,
            replays,
            planned.considered,
            lambda: clock.is_over or clock.is_cancelled,
        )
        if found is None:
            return stamped
        again = plan_again(found.candidates)
        if not again.plan.instances or again.plan.state == "cancelled":
            reason = f"with what simulation allows ({'; '.join(found.sentences)}) no plan was found"
            return replace(stamped, plan=replace(stamped.plan, notes=(*stamped.plan.notes, reason)))
        learnt += found.sentences
        planned = again
    raise AssertionError("the loop returns")


def _stamped(plan: Plan, replayer: Replayer, replays: Sequence[Replayed], learnt: Sequence[str]) -> Plan:
    """The plan with its verification, and a note for each miss."""
    misses = tuple(_miss(replayed) for replayed in replays if not replayed.met)
    return replace(
        plan,
        notes=(*misses, *plan.notes),
        verification=Verification(
            seed=replayer.seed,
            arrivals=_arrivals(replayer, replays),
            corrections=tuple(learnt),
            replays=tuple(replays),
            met=not misses,
        ),
    )


def _arrivals(replayer: Replayer, replays: Sequence[Replayed]) -> str:
    """The kinds of arrivals that were replayed, in words."""
    drawn = [replayer.fleet.workload(replayed.workload).burstiness for replayed in replays]
    used = {
        "poisson": 1.0 in drawn or not drawn,
        "gamma": any(shape != 1.0 for shape in drawn),
        "trace": any(replayed.load in RECORDED for replayed in replays),
    }
    *others, last = (kind for kind, is_used in used.items() if is_used)
    return f"{', '.join(others)} and {last}" if others else last


def _miss(replayed: Replayed) -> str:
    parts = [
        f"{name} p{spread.percentile:g} {duration(spread.at_percentile_ms)} > {duration(spread.target_ms)}"
        for name, spread in (("TTFT", replayed.ttft), ("TPOT", replayed.tpot))
        if spread is not None and not spread.met
    ]
    return (
        f"{replayed.workload} misses its targets in simulation at {LOADS[replayed.load]} "
        f"({rate(replayed.rate_per_s)}): {', '.join(parts)}"
    )
