"""`fulcrum solve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.arguments import seconds

__all__ = ["solve"]


def solve(
    problem: Annotated[Path, typer.Argument(metavar="PROBLEM.yaml", help="Assignment problem document.")],
    out: Annotated[Path | None, typer.Option(help="Write the answer as JSON to this file.")] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(metavar="TIME", help="Stop after this long with the best found.", parser=seconds),
    ] = None,
    solver: Annotated[str, typer.Option(help="Which solver; auto chooses by size.")] = "auto",
    threads: Annotated[int, typer.Option(help="Solver threads; with 1 equal input gives equal bytes.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    gap: Annotated[float, typer.Option(help="Relative gap at which a goal counts as optimal.")] = 1e-6,
    max_moves: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help="At most N objects that are placed today may end elsewhere; a hard limit.",
        ),
    ] = None,
    prices: Annotated[
        bool, typer.Option("--prices", help="Also what one more unit of each limit is worth.")
    ] = False,
    server: Annotated[
        str | None, typer.Option(metavar="ADDR", help="Have a Fulcrum server solve the problem.")
    ] = None,
    server_ca: Annotated[
        Path | None,
        typer.Option(envvar="FULCRUM_TLS_CA", help="PEM file of the authorities that sign the server: TLS."),
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="FULCRUM_TOKEN", help="Bearer token for the server.")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Print the answer as JSON instead of tables.")
    ] = False,
) -> int:
    """Solve an assignment problem: objects to containers under constraints, for goals.

    Exit code 0: an answer that holds every hard constraint. 1: the input is wrong. 2: proven infeasible.
    3: no answer was found in time, or a solver failed.
    """
    from planner.assignment import print_answer, solve_document, to_json, with_most_moves
    from planner.cli.exit_codes import ExitCode
    from planner.cli.files import check_writable, read_problem_file, write_text
    from planner.cli.progress import show_progress
    from planner.explanation import infeasible_lines
    from planner.options import Progress
    from solvers import Progress as SolverProgress
    from solvers import SolveOptions

    check_writable(out)
    if server is not None and max_moves is not None:
        raise typer.BadParameter(
            "--max-moves is for problems solved here; state a MovementBudget in the document"
        )
    document = read_problem_file(problem)
    if max_moves is not None:
        document = with_most_moves(document, max_moves)
    with show_progress(visible=not json_, catch_interrupt=server is None) as progress:

        def show(report: SolverProgress) -> None:
            progress(
                Progress(
                    phase=report.phase, elapsed_s=report.elapsed_s, objective=report.objective,
                    bound=report.bound, gap=report.gap, evaluations_per_s=report.evaluations_per_s,
                )
            )  # fmt: skip

        options = SolveOptions(
            time_limit_s=time_limit, solver=solver, threads=threads, seed=seed, gap=gap,
            on_progress=show, cancelled=progress.cancelled,
        )  # fmt: skip
        if server is None:
            made = solve_document(document, options, prices=prices)
        else:
            from planner.service.stream_client import StreamClient

            with StreamClient(server, authorities=server_ca, token=token) as client:
                made = client.solve(
                    problem.read_text(encoding="utf-8"), time_limit_s=time_limit, solver=solver,
                    threads=threads, seed=seed, gap=gap, prices=prices, progress=progress,
                    source=str(problem),
                )  # fmt: skip
    if out is not None:
        write_text(out, to_json(made))
    if json_:
        typer.echo(to_json(made), nl=False)
    else:
        from planner.report.console import make_console

        print_answer(made, make_console())
        if out is not None:
            typer.echo(f"\nanswer written to {out}")
    if made["status"] == "infeasible":
        typer.echo("infeasible: no assignment holds every hard constraint", err=True)
        typer.echo("\n".join(infeasible_lines(made["infeasible"])), err=True)
    codes = {"infeasible": ExitCode.INFEASIBLE, "unknown": ExitCode.FAILED}
    if made["status"] == "cancelled" and made["assignment"] is None:
        return ExitCode.INTERRUPTED
    return codes.get(made["status"], ExitCode.OK)
