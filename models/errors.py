"""The errors of every room, by what the caller can do about them.

::

    FulcrumError
    ├── InvalidInput          change what you wrote: a document, a flag, a file   (exit code 1)
    │   └── UnknownName       a name that does not exist; the nearest valid one is in the message
    ├── Unsupported           ask for something else, or of another backend       (exit code 1)
    ├── Unavailable           install or start something: a solver, a profile, a server, a GPU (exit code 1)
    └── SolverFailed          report it: a backend broke, or returned what it must not (exit code 3)

Infeasible problems, time limits and cancellation are results, not errors.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "FulcrumError",
    "InvalidInput",
    "SolverFailed",
    "Unavailable",
    "UnknownName",
    "Unsupported",
    "nearest",
]


class FulcrumError(Exception):
    """Root of every error this project raises on purpose.

    Parameters
    ----------
    message
        What is wrong, the value got, and what to do instead, in one or two sentences.
    path
        Where in a document, as keys and indices: ``("pools", 0, "gpu")``. Empty when not from a document.
    source, line
        File and 1-based line the value was read from, when known.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        path: tuple[str | int, ...] = (),
        source: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.source = source
        self.line = line

    @property
    def dotted_path(self) -> str:
        """The path as people write it: ``pools[0].gpu``."""
        out = ""
        for part in self.path:
            out += f"[{part}]" if isinstance(part, int) else (f".{part}" if out else part)
        return out

    def __str__(self) -> str:
        where = self.source or ""
        if self.line is not None:
            where += f":{self.line}" if where else f"line {self.line}"
        parts = [p for p in (where, self.dotted_path, self.message) if p]
        return ": ".join(parts)


class InvalidInput(FulcrumError):
    """A document, flag or file says something that cannot be meant."""


class UnknownName(InvalidInput):
    """A name that does not exist among the valid ones; `aliases` are suggested too, but not listed."""

    def __init__(
        self,
        kind: str,
        name: str,
        valid: Iterable[str],
        *,
        aliases: Iterable[str] = (),
        path: tuple[str | int, ...] = (),
        source: str | None = None,
        line: int | None = None,
    ) -> None:
        self.kind = kind
        self.name = name
        self.valid = tuple(sorted(valid))
        self.aliases = tuple(aliases)
        self.suggestion = nearest(name, sorted({*self.valid, *self.aliases}))
        message = f"unknown {kind} {name!r}"
        if self.suggestion:
            message += f"; did you mean {self.suggestion!r}?"
        elif self.valid:
            shown = ", ".join(self.valid[:12]) + (", …" if len(self.valid) > 12 else "")
            message += f"; known: {shown}"
        super().__init__(message, path=path, source=source, line=line)


class Unsupported(FulcrumError):
    """A valid wish that this backend, engine or version cannot fulfil; never approximated in silence."""


class Unavailable(FulcrumError):
    """Something that must be installed, started or reachable first."""


class SolverFailed(FulcrumError):
    """A backend broke or contradicted the reference evaluation."""

    exit_code = 3


def nearest(name: str, valid: Iterable[str]) -> str | None:
    """The valid name closest to `name`, or None when nothing is close."""
    candidates = list(valid)
    folded = {c.casefold(): c for c in candidates}
    if name.casefold() in folded:
        return folded[name.casefold()]
    found = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    return found[0] if found else None
