"""`fulcrum report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["report"]


def report(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.json", help="A plan from `fulcrum plan --out`.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")] = Path("report.html"),
) -> None:
    """Write a plan as one self-contained HTML page: for the browser, the phone and the printer."""
    from planner.cli.files import read_plan, write_text
    from planner.report.page import plan_page

    write_text(out, plan_page(read_plan(plan)))
    typer.echo(f"report written to {out}")
