"""`fulcrum version`."""

from __future__ import annotations

import typer

__all__ = ["version"]


def version() -> None:
    """Print the version of Fulcrum and of Python."""
    import platform

    from planner.version import fulcrum_version

    typer.echo(f"fulcrum {fulcrum_version()} (Python {platform.python_version()})")
