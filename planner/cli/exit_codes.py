"""The exit codes of every command."""

from __future__ import annotations

import enum

__all__ = ["ExitCode"]


class ExitCode(enum.IntEnum):
    """What the process tells its caller."""

    OK = 0
    BAD_INPUT = 1
    """A document, flag or file is wrong, or something needed is not installed or reachable."""
    INFEASIBLE = 2
    """The input is well-formed, and no plan satisfies it."""
    FAILED = 3
    """A solver or Fulcrum itself failed."""
    INTERRUPTED = 130
