"""`fulcrum export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


def export(
    plan: Annotated[Path, typer.Argument(metavar="PLAN.json", help="A plan made by `fulcrum plan`.")],
    to: Annotated[str, typer.Option(help="Format: vllm.")],
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
) -> None:
    """Print a plan as launch commands or manifests of a serving engine."""
    from planner.cli.files import read_plan, write_text
    from planner.export import export as export_plan

    text = export_plan(read_plan(plan), to)
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_text(out, text)
