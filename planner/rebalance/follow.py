"""A promotion followed until its engines run it, or taken back."""

from __future__ import annotations

import time
from collections.abc import Callable

from planner.service.fleet_client import FleetClient, RolloutState

__all__ = ["ended_badly", "follow", "live_rollout", "lost_nodes", "outcome_of"]

POLL_S = 2.0
LEASE_S = 120.0


def live_rollout(fleets: FleetClient, fleet: str) -> RolloutState | None:
    """The last rollout of a fleet; None where there is none, or no engine to do its steps."""
    return fleets.rollout(fleet) if any(True for _ in fleets.engines(fleet)) else None


def lost_nodes(fleets: FleetClient, fleet: str) -> frozenset[str]:
    """Nodes all of whose registered engines have fallen silent."""
    engines = list(fleets.engines(fleet))
    return frozenset(e.node for e in engines) - {e.node for e in engines if e.state == "live"}


def follow(
    fleets: FleetClient, fleet: str, generation: int, holder: str, *, step_timeout_s: float,
    clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
) -> RolloutState:  # fmt: skip
    """Wait until a rollout ends; one in which nothing happens for too long is stopped.

    The lease of the fleet is prolonged meanwhile.

    Parameters
    ----------
    step_timeout_s
        Longest between two acknowledgements.
    """
    last, since_s = -1.0, clock()
    while True:
        fleets.acquire(fleet, holder, LEASE_S)
        rollout = fleets.rollout(fleet, generation)
        assert rollout is not None
        if rollout.state != "rolling":
            return rollout
        if rollout.update_s != last:
            last, since_s = rollout.update_s, clock()
        if clock() - since_s > step_timeout_s:
            return fleets.stop_rollout(
                fleet, generation=generation, holder=holder, reason=_stuck(rollout, step_timeout_s)
            )
        sleep(POLL_S)


def ended_badly(rollout: RolloutState, now_s: float, step_timeout_s: float) -> str:
    """Why a rollout should be taken back; an empty text while it goes on or where it is done."""
    if rollout.state == "failed":
        return f"the rollout failed: {rollout.reason}"
    if rollout.state == "stopped":
        return f"the rollout was stopped: {rollout.reason}"
    if rollout.state == "rolling" and now_s - rollout.update_s > step_timeout_s:
        return _stuck(rollout, step_timeout_s)
    return ""


def outcome_of(rollout: RolloutState) -> str:
    """How far a rollout is, in a sentence."""
    steps = f"{rollout.done_count} of {len(rollout.steps)} steps of the rollout are done"
    waiting = f"; no live engine on {', '.join(rollout.waiting_nodes[:3])}" if rollout.waiting_nodes else ""
    return f"{steps}{waiting}"


def _stuck(rollout: RolloutState, step_timeout_s: float) -> str:
    return f"nothing happened for {step_timeout_s:g} s: {outcome_of(rollout)}"
