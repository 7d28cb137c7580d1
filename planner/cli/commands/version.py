"""`fulcrum version`."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["version"]


def version(
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the version of Fulcrum and of Python."""
    import platform

    from planner.version import fulcrum_version

    if json_:
        from planner.cli.json_out import echo_json

        echo_json({"fulcrum": fulcrum_version(), "python": platform.python_version()})
        return
    typer.echo(f"fulcrum {fulcrum_version()} (Python {platform.python_version()})")
