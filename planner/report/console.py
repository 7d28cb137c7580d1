"""The terminal that reports are printed to."""

from __future__ import annotations

from rich.console import Console

__all__ = ["make_console"]

WIDTH_WITHOUT_TERMINAL = 120


def make_console(*, quiet: bool = False) -> Console:
    """Return a console on standard output: as wide as the terminal; plain text when there is none.

    A quiet one prints nothing, for those who print JSON instead.
    """
    console = Console(quiet=quiet)
    if console.is_terminal:
        return console
    return Console(width=WIDTH_WITHOUT_TERMINAL, color_system=None, quiet=quiet)
