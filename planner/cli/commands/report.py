"""`fulcrum report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.json", help="A plan from `fulcrum plan --out`.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
    current: Annotated[
        Path | None, typer.Option(help="Plan that runs today, to draw the GPUs before and after.")
    ] = None,
    pareto: Annotated[
        Path | None, typer.Option(help="Also what headroom costs, from `fulcrum pareto --json`.")
    ] = None,
    trajectory: Annotated[
        Path | None, typer.Option(help="Also the solver's way, from `fulcrum plan --trajectory`.")
    ] = None,
    fleet: Annotated[
        Path | None, typer.Option(help="Also what one more node of each pool buys, for this document.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
) -> None:
    """Write a plan as one self-contained HTML page: for the browser, the phone and the printer."""
    import json

    from planner.cli.files import check_writable, read_fleet_file, read_plan, write_text
    from planner.cli.progress import show_progress
    from planner.fleet.document import read_text
    from planner.report.page import plan_page
    from planner.report.page.front import read_front
    from planner.report.page.trajectory import read_trajectory

    check_writable(out)
    shown = read_plan(plan)
    more = None
    if fleet is not None:
        from planner.capacity.one_more import one_more_node
        from planner.clock import Clock
        from planner.options import PlanOptions

        document = read_fleet_file(fleet)
        with show_progress(visible=not json_, catch_interrupt=False) as progress:
            more = one_more_node(document, Clock(options=PlanOptions(time_limit_s=60.0), progress=progress))
    page = plan_page(
        shown,
        current=read_plan(current) if current is not None else None,
        front=read_front(read_text(pareto), source=str(pareto)) if pareto is not None else (),
        trajectory=read_trajectory(read_text(trajectory), source=str(trajectory)) if trajectory else (),
        more=more,
    )
    write_text(out, page)
    if json_:
        typer.echo(json.dumps({"report": str(out), "bytes": len(page.encode())}))
    else:
        typer.echo(f"report written to {out}")
