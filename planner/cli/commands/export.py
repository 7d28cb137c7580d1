"""`fulcrum export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["export"]


def export(
    plan: Annotated[
        Path | None, typer.Argument(metavar="PLAN.json", help="A plan made by `fulcrum plan`.")
    ] = None,
    to: Annotated[str, typer.Option(help="Format: vllm, kubernetes, …; see --list.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of the terminal.")] = None,
    engine_version: Annotated[
        str, typer.Option(help="Version of the engine that will run; its flags depend on it.")
    ] = "",
    image: Annotated[str, typer.Option(help="Container image instead of the engine's own.")] = "",
    list_: Annotated[bool, typer.Option("--list", help="List the formats and what they write.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print a plan as launch commands or manifests of a serving engine."""
    from models.errors import InvalidInput
    from planner.cli.files import read_plan, write_text
    from planner.export import Options, exporter
    from planner.export import export as export_plan

    if list_:
        _list(json_=json_)
        return
    if plan is None or not to:
        raise InvalidInput("give a plan and --to FORMAT, or --list for the formats")
    exporter(to)  # a misspelt format is told before the plan is read
    text = export_plan(read_plan(plan), to, Options(engine_version=engine_version, image=image))
    if json_:
        from planner.cli.json_out import echo_json

        if out is not None:
            write_text(out, text)
        echo_json({"format": to, "text": text, "out": out})
    elif out is None:
        typer.echo(text, nl=False)
    else:
        write_text(out, text)


def _list(*, json_: bool) -> None:
    from planner.export import export_formats, exporter

    if json_:
        from planner.cli.json_out import echo_json

        modules = {name: exporter(name) for name in export_formats()}
        echo_json(
            [{"format": n, "summary": m.SUMMARY, "writes": m.FORMAT_VERSION} for n, m in modules.items()]
        )
        return
    width = max(map(len, export_formats()))
    for name in export_formats():
        module = exporter(name)
        typer.echo(f"{name:{width}}  {module.SUMMARY} ({module.FORMAT_VERSION})")
