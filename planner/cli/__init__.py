"""The command line. `main` is the console script; heavy imports happen inside the command that needs them."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `fulcrum` with the given arguments (default: those of the process) and exit with its code."""
    from planner.cli.app import run

    sys.exit(run(arguments))
