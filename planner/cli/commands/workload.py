"""`fulcrum workload …`: what a trace or a table of lengths is like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["app"]

app = typer.Typer(help="Look at traces and tables of lengths.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Look at what must be served: traces, results of load generators, tables of lengths."""


@app.command()
def describe(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Azure, BurstGPT, Mooncake or another trace; vLLM, aiperf or GuideLLM results; a table.",
        ),
    ],
    columns: Annotated[
        str, typer.Option(help="Columns of another CSV: arrival=NAME,input=NAME,output=NAME.")
    ] = "",
    cache: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKENS", help="Prefix cache to try: 500000, 2M; repeat it. Needs prefix hashes."
        ),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show lengths, rate, bursts, the shape of the day, and how much of the prompts repeats."""
    from models.errors import InvalidInput
    from models.workload import Columns, load_lengths, read_trace
    from models.workload.statistics import describe_lengths, describe_trace
    from planner.report.workload import print_workload, workload_json

    sizes = tuple(_tokens(text) for text in cache or ())
    if file.suffix in (".yaml", ".yml"):
        if sizes or columns:
            raise InvalidInput("--cache and --columns are for traces; a table of lengths has neither")
        found = describe_lengths(load_lengths(file))
    else:
        trace = read_trace(file, Columns.parse(columns) if columns else None)
        if sizes and trace.prefixes is None:
            raise InvalidInput(
                "--cache needs a trace that says which prompts begin alike, such as Mooncake's",
                source=str(file),
            )
        found = describe_trace(trace, cache_tokens=sizes)
    if json_:
        typer.echo(workload_json(found), nl=False)
    else:
        from planner.report.console import make_console

        print_workload(found, make_console())


def _tokens(text: str) -> int:
    """``500000``, ``500k``, ``2M``."""
    from models.errors import InvalidInput

    scale = {"k": 10**3, "m": 10**6, "g": 10**9}.get(text[-1:].lower(), 1)
    digits = text[:-1] if scale > 1 else text
    if not digits.isascii() or not digits.replace(".", "", 1).isdigit():
        raise InvalidInput(f"--cache: expected tokens such as 500000, 500k or 2M, got {text!r}")
    return round(float(digits) * scale)
