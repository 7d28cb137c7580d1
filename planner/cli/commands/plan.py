"""`fulcrum plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.arguments import seconds

__all__ = ["plan"]


def plan(
    fleet: Annotated[Path, typer.Argument(metavar="FLEET.yaml", help="Fleet document.")],
    out: Annotated[Path | None, typer.Option(help="Write the plan as JSON to this file.")] = None,
    current: Annotated[
        Path | None, typer.Option(help="Plan that runs today: keep what need not move, list what must.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option(metavar="TIME", help="Stop after this long with the best found.", parser=seconds)
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    threads: Annotated[int, typer.Option(help="Solver threads; with 1 equal input gives equal bytes.")] = 1,
    confidence: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Keep targets with this probability, by the intervals."),
    ] = None,
    gantt: Annotated[
        Path | None, typer.Option(help="With --current: draw the transition as SVG into this file.")
    ] = None,
    trajectory: Annotated[
        Path | None, typer.Option(help="Write what the solver knew when, a JSON object a line.")
    ] = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not replay the plan in the simulator.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say what was considered and what binds.")
    ] = False,
    by_region: Annotated[
        bool, typer.Option("--by-region", help="Divide the demand among the zones and plan each by itself.")
    ] = False,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE", help="For regions and simulations: local[:PROCESSES] or ray[:ADDRESS]."
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the plan as JSON instead of tables.")] = False,
    server: Annotated[
        str | None, typer.Option(metavar="ADDR", help="Have a Fulcrum server make the plan.")
    ] = None,
    server_ca: Annotated[
        Path | None,
        typer.Option(envvar="FULCRUM_TLS_CA", help="PEM file of the authorities that sign the server: TLS."),
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="FULCRUM_TOKEN", help="Bearer token for the server.")
    ] = None,
) -> int:
    """Make a plan for a fleet: what runs where, with which parallelism, at what cost.

    Exit code 0: a plan. 1: the input is wrong. 2: no plan can work; the message says what binds and what
    would work. 3: no plan was found in time, or a solver failed.
    """
    from planner.cli.exit_codes import ExitCode
    from planner.cli.files import check_writable, read_plan, write_text
    from planner.cli.planning import Server, explain_here, explain_there, plan_here, plan_there
    from planner.cli.progress import show_progress
    from planner.options import PlanOptions

    if server is not None and (by_region or executor is not None):
        raise typer.BadParameter("--by-region and --executor are for plans made here, without --server")
    if explain and by_region:
        raise typer.BadParameter("--explain is for fleets planned as a whole, without --by-region")
    if gantt is not None and current is None:
        raise typer.BadParameter("--gantt draws the way from a plan that runs: give it with --current")
    check_writable(out)
    check_writable(gantt)
    check_writable(trajectory)
    options = PlanOptions(
        time_limit_s=time_limit, seed=seed, threads=threads, verify=not no_verify, confidence=confidence
    )
    running = read_plan(current) if current is not None else None
    where = Server(address=server or "", authorities=server_ca, token=token)
    with show_progress(visible=not json_, catch_interrupt=server is None) as progress:
        if server is None:
            made = plan_here(fleet, options, running, progress, by_region=by_region, executor=executor)
        else:
            made = plan_there(where, fleet, options, running, progress)
    result = made.plan
    if out is not None:
        write_text(out, result.to_json())
    if trajectory is not None:
        from planner.report.page.trajectory import trajectory_lines

        write_text(trajectory, trajectory_lines(progress.kept))
    if gantt is not None and result.transition is not None:
        from planner.report.gantt_svg import gantt_svg

        write_text(gantt, gantt_svg(result.transition, title=f"Transition of fleet {result.fleet}"))
    if json_:
        typer.echo(result.to_json(), nl=False)
    else:
        from planner.report.console import make_console
        from planner.report.tables import print_plan

        console = make_console()
        print_plan(result, console)
        if explain:
            from planner.explain.report import print_explanation

            print_explanation(
                explain_there(where, made.name, options)
                if made.planned is None
                else explain_here(made.planned, options),
                console,
            )
        if out is not None:
            console.print(f"\nplan written to {out}", highlight=False, soft_wrap=True)
    if made.remark is not None:
        typer.echo(made.remark, err=json_)
    if result.diagnosis is not None:
        typer.echo(f"infeasible: {result.diagnosis.message}. Closest: {result.diagnosis.closest}.", err=True)
    elif not result.instances:
        typer.echo(f"nothing to run: the state of the plan is {result.state}", err=True)
    codes = {"infeasible": ExitCode.INFEASIBLE, "unknown": ExitCode.FAILED, "cancelled": ExitCode.INTERRUPTED}
    return codes.get(result.state, ExitCode.OK)
