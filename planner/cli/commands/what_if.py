"""`fulcrum what-if`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli.arguments import seconds

if TYPE_CHECKING:
    from planner.fleet import Fleet
    from planner.options import PlanOptions
    from planner.scenarios.change import Change

__all__ = ["what_if"]


def what_if(
    fleet: Annotated[Path, typer.Argument(metavar="FLEET.yaml", help="Fleet document.")],
    demand: Annotated[
        list[str] | None,
        typer.Option(metavar="WORKLOAD=CHANGE", help="chat=+30%, chat=x2, chat=12/s; all=… for each."),
    ] = None,
    remove_pool: Annotated[list[str] | None, typer.Option(metavar="POOL", help="This pool is gone.")] = None,
    swap: Annotated[
        list[str] | None, typer.Option(metavar="POOL=GPU", help="Another GPU type: h100=h200.")
    ] = None,
    nodes: Annotated[
        list[str] | None, typer.Option(metavar="POOL=NUMBER", help="h100=6, h100=+2 or h100=-1.")
    ] = None,
    price: Annotated[
        list[str] | None, typer.Option(metavar="POOL=PRICE", help="Price of one GPU for one hour.")
    ] = None,
    time_limit: Annotated[
        float, typer.Option(metavar="TIME", help="Of each of the two plans.", parser=seconds)
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    threads: Annotated[int, typer.Option(help="Solver threads.")] = 1,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not replay the plans in the simulator.")
    ] = False,
    each: Annotated[
        bool, typer.Option("--each", help="Every change by itself, side by side, instead of all at once.")
    ] = False,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE", help="With --each: plan there, local[:PROCESSES] (default) or ray[:ADDRESS]."
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    server: Annotated[
        str | None, typer.Option(metavar="ADDR", help="Have a Fulcrum server make the plans.")
    ] = None,
    server_ca: Annotated[
        Path | None,
        typer.Option(envvar="FULCRUM_TLS_CA", help="PEM file of the authorities that sign the server: TLS."),
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="FULCRUM_TOKEN", help="Bearer token for the server.")
    ] = None,
) -> int:
    """Plan a fleet as it is and with changes: what it would cost, what would move.

    Exit code 2: the changed fleet cannot be planned; the message says what binds.
    """
    import json

    from planner.cli.exit_codes import ExitCode
    from planner.cli.files import read_fleet_document, read_fleet_file
    from planner.cli.progress import show_progress
    from planner.clock import Clock
    from planner.options import PlanOptions
    from planner.scenarios.change import parse_changes
    from planner.scenarios.what_if import compare

    words = {
        "demand": demand or (), "remove_pool": remove_pool or (), "swap": swap or (), "nodes": nodes or (),
        "price": price or (),
    }  # fmt: skip
    changes = parse_changes(**words)
    if not changes:
        raise typer.BadParameter("say what changes: --demand, --remove-pool, --swap, --nodes or --price")
    if executor is not None and not each:
        raise typer.BadParameter(
            "--executor spreads the plans of --each; without it there is one after another"
        )
    if each and server is not None:
        raise typer.BadParameter("--each is planned here or by --executor, without --server")
    options = PlanOptions(time_limit_s=time_limit, seed=seed, threads=threads, verify=not no_verify)
    if each:
        return _each(read_fleet_file(fleet), changes, options, executor or "local", json_=json_)
    with show_progress(visible=not json_, catch_interrupt=server is None) as progress:
        if server is None:
            read = read_fleet_file(fleet)
            clocks = [
                Clock(options=options, progress=progress, cancelled=progress.cancelled) for _ in range(2)
            ]
            found = compare(read, changes, (clocks[0], clocks[1]))
            figures = found.as_dict()
        else:
            from planner.service.stream_client import StreamClient

            with StreamClient(server, authorities=server_ca, token=token) as client:
                found, figures = client.what_if(
                    read_fleet_document(fleet)[0],
                    words,
                    options=options,
                    progress=progress,
                    source=str(fleet),
                )
    if json_:
        typer.echo(json.dumps(figures, indent=1, ensure_ascii=False))
    else:
        from planner.report.console import make_console
        from planner.report.scenarios import print_comparison

        print_comparison(found, make_console())
    codes = {"infeasible": ExitCode.INFEASIBLE, "unknown": ExitCode.FAILED, "cancelled": ExitCode.INTERRUPTED}
    return codes.get(found.after.state, ExitCode.OK)


def _each(
    fleet: Fleet, changes: tuple[Change, ...], options: PlanOptions, executor: str, *, json_: bool
) -> int:
    """Sweep the changes; the exit code says whether every one could be planned."""
    import json

    from planner.cli.exit_codes import ExitCode
    from planner.cli.progress import show_progress
    from planner.executors import open_executor
    from planner.scenarios.sweep import sweep

    with show_progress(visible=not json_, catch_interrupt=True) as progress, open_executor(executor) as where:
        found = sweep(fleet, changes, options, where, progress=progress, cancelled=progress.cancelled)
    if json_:
        typer.echo(json.dumps(found.as_dict(), indent=1, ensure_ascii=False))
    else:
        from planner.report.console import make_console
        from planner.report.scenarios import print_sweep

        print_sweep(found, make_console())
    if len(found.scenarios) < len(changes):
        return ExitCode.INTERRUPTED
    planned = all(scenario.plan.instances for scenario in found.scenarios)
    return ExitCode.OK if planned else ExitCode.INFEASIBLE
