"""Planning in this process, or by a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.cli.progress import ProgressLine
    from planner.explain.explanation import Explanation
    from planner.fleet import Fleet
    from planner.options import PlanOptions
    from planner.pipeline import Planned
    from planner.plan import Plan

__all__ = ["Made", "Server", "explain_here", "explain_there", "plan_here", "plan_there"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A plan; when it was made here, what it was chosen from, and there, its name."""

    plan: Plan
    planned: Planned | None = None
    name: str = ""
    remark: str | None = None


def plan_here(
    path: Path,
    options: PlanOptions,
    current: Plan | None,
    progress: ProgressLine,
    *,
    by_region: bool = False,
    executor: str | None = None,
) -> Made:
    """Plan in this process, what is independent in those of an executor."""
    import contextlib

    from planner.cli.files import read_fleet_file
    from planner.clock import Clock
    from planner.executors import open_executor
    from planner.pipeline import plan_fleet

    fleet = read_fleet_file(path)
    with contextlib.ExitStack() as stack:
        name = executor or ("local" if by_region else None)
        where = None if name is None else stack.enter_context(open_executor(name))
        clock = Clock(options=options, progress=progress, cancelled=progress.cancelled, executor=where)
        if where is not None and by_region:
            from planner.regions import plan_by_region

            found = plan_by_region(fleet, clock, where, current=current)
            return Made(plan=found.plan, remark=found.sentence())
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
    from planner.cli.files import read_fleet_document
    from planner.service.client import PlanClient

    document, fleet = read_fleet_document(path)
    with PlanClient(server.address, authorities=server.authorities, token=server.token) as client:
        name, plan = client.make_plan(
            document, options=options, current=current, progress=progress, source=str(path)
        )
    return Made(plan=plan, name=name, remark=None if fleet is None else _unsent(fleet, plan))


def _unsent(fleet: Fleet, plan: Plan) -> str | None:
    """Say of which workloads the server replayed no recorded requests though there are some here."""
    from planner.plan.verification import RECORDED

    replays = () if plan.verification is None else plan.verification.replays
    random = {r.workload for r in replays} - {r.workload for r in replays if r.load in RECORDED}
    period = 0 if fleet.periods is None else fleet.periods.placed
    names = [
        workload.name
        for workload in fleet.workloads
        if workload.name in random and workload.recorded is not None and workload.recorded.part(period)
    ]
    if not names:
        return None
    return (
        f"too long to be sent: the trace of {', '.join(names)}; the server replayed random arrivals only, "
        "a plan made here replays the recorded ones as well"
    )


def explain_here(planned: Planned, options: PlanOptions) -> Explanation:
    """Say why a plan that was made here is as it is."""
    from planner.clock import Clock
    from planner.explain.explanation import explain_plan

    return explain_plan(planned, Clock(options=options))


def explain_there(server: Server, name: str, options: PlanOptions) -> Explanation:
    """Have a server say why a plan of its own is as it is."""
    from planner.service.stream_client import StreamClient

    with StreamClient(server.address, authorities=server.authorities, token=server.token) as client:
        return client.explain(name, time_limit_s=options.time_limit_s)
