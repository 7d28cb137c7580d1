"""`fulcrum explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from planner.cli.arguments import seconds

__all__ = ["explain"]


def explain(
    problem: Annotated[Path, typer.Argument(metavar="PROBLEM.yaml", help="Assignment problem document.")],
    object_: Annotated[str, typer.Argument(metavar="OBJECT", help="Which object.")],
    container: Annotated[
        str | None, typer.Argument(metavar="[CONTAINER]", help="Only this place; 'unassigned' is one too.")
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(metavar="TIME", help="Stop after this long with what is known.", parser=seconds),
    ] = None,
    solver: Annotated[str, typer.Option(help="Which solver; auto chooses by size.")] = "auto",
    threads: Annotated[int, typer.Option(help="Solver threads; with 1 equal input gives equal output.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> int:
    """Why an object is where it is: what blocks every other place, or what it would cost, by spec.

    With CONTAINER also what the whole answer would be with the object there. Exit code 2: the problem is
    infeasible (the limits that contradict each other are printed). 3: no answer was found in time.
    """
    import json

    from planner.cli.exit_codes import ExitCode
    from planner.cli.files import read_problem_file
    from planner.cli.progress import show_progress
    from planner.explanation import explain_object, explanation_lines
    from planner.options import Progress
    from solvers import Progress as SolverProgress
    from solvers import SolveOptions

    document = read_problem_file(problem)
    with show_progress(visible=not json_, catch_interrupt=True) as progress:

        def show(report: SolverProgress) -> None:
            progress(
                Progress(
                    phase=report.phase, elapsed_s=report.elapsed_s, objective=report.objective,
                    bound=report.bound, gap=report.gap,
                )
            )  # fmt: skip

        options = SolveOptions(
            time_limit_s=time_limit, solver=solver, threads=threads, seed=seed,
            on_progress=show, cancelled=progress.cancelled,
        )  # fmt: skip
        made = explain_object(document, object_, container, options)
    typer.echo(
        json.dumps(made, indent=1, ensure_ascii=False) if json_ else "\n".join(explanation_lines(made))
    )
    codes = {"infeasible": ExitCode.INFEASIBLE, "unknown": ExitCode.FAILED}
    return codes.get(made["status"], ExitCode.OK)
