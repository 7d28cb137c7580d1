"""The command line. `main` is the console script; everything heavy is imported inside the command that needs it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `fulcrum` with the given arguments (default: those of the process) and exit with its code."""
    from planner.cli.app import run

    sys.exit(run(arguments))
