"""Planning in this process, or by a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.cli.progress import ProgressLine
    from planner.options import PlanOptions
    from planner.pipeline import Planned
    from planner.plan import Plan

__all__ = ["Made", "Server", "plan_here", "plan_there"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A plan and, when it was made here, what it was chosen from."""

    plan: Plan
    planned: Planned | None


def plan_here(path: Path, options: PlanOptions, current: Plan | None, progress: ProgressLine) -> Made:
    """Plan in this process."""
    from planner.cli.files import read_fleet_file
    from planner.clock import Clock
    from planner.pipeline import plan_fleet

    fleet = read_fleet_file(path)
    clock = Clock(options=options, progress=progress, cancelled=progress.cancelled)
    planned = plan_fleet(fleet, clock, current=current)
    return Made(plan=planned.plan, planned=planned)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is, and how to be let in; see `planner.service.client.PlanClient`."""

    address: str
    authorities: Path | None
    token: str | None


def plan_there(
    server: Server, path: Path, options: PlanOptions, current: Plan | None, progress: ProgressLine
) -> Made:
    """Have a server plan: it gets the document with every file written into it.

    Ctrl-C interrupts the call; the client then cancels the plan on the server.
    """
    from planner.cli.files import read_fleet_file
    from planner.service.client import PlanClient

    document = read_fleet_file(path).self_contained
    with PlanClient(server.address, authorities=server.authorities, token=server.token) as client:
        plan = client.create_plan(
            document, options=options, current=current, progress=progress, source=str(path)
        )
    return Made(plan=plan, planned=None)
