"""`fulcrum pareto`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.arguments import seconds

__all__ = ["pareto"]


def pareto(
    fleet: Annotated[Path, typer.Argument(metavar="FLEET.yaml", help="Fleet document.")],
    headroom: Annotated[
        list[str] | None,
        typer.Option(metavar="SHARE", help="Latency below the targets by so much: 20%. Repeatable."),
    ] = None,
    time_limit: Annotated[float, typer.Option(metavar="TIME", help="Of each plan.", parser=seconds)] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    threads: Annotated[int, typer.Option(help="Solver threads.")] = 1,
    verify: Annotated[bool, typer.Option("--verify", help="Replay every plan in the simulator.")] = False,
    executor: Annotated[
        str,
        typer.Option(metavar="WHERE", help="Plan there: local[:PROCESSES] (default) or ray[:ADDRESS]."),
    ] = "local",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    """What latency headroom costs: the cheapest plan for ever tighter shares of the targets."""
    import json

    from models.document import parse_fraction
    from planner.cli.exit_codes import ExitCode
    from planner.cli.files import read_fleet_file
    from planner.cli.progress import show_progress
    from planner.executors import open_executor
    from planner.options import PlanOptions
    from planner.scenarios.pareto import frontier

    asked = headroom or ["0%", "10%", "20%", "30%", "40%", "50%", "60%"]
    shares = [1.0 - parse_fraction(text) for text in asked]
    options = PlanOptions(time_limit_s=time_limit, seed=seed, threads=threads, verify=verify)
    read = read_fleet_file(fleet)
    with show_progress(visible=not json_, catch_interrupt=True) as progress, open_executor(executor) as where:
        points = frontier(read, shares, options, where, progress=progress, cancelled=progress.cancelled)
    if json_:
        typer.echo(json.dumps([point.as_dict() for point in points], indent=1, ensure_ascii=False))
    else:
        from planner.report.console import make_console
        from planner.report.scenarios import print_frontier

        print_frontier(points, make_console())
    if not points:
        return ExitCode.INTERRUPTED
    return ExitCode.OK if points[0].plan.instances else ExitCode.INFEASIBLE
