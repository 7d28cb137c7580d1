"""One error that lists everything wrong with a document."""

from __future__ import annotations

from collections.abc import Iterable

from models.errors import InvalidInput

__all__ = ["InvalidDocument"]


class InvalidDocument(InvalidInput):
    """A document with one or more mistakes.

    Attributes
    ----------
    violations
        Every mistake found, in the order of the lines, each with its own path and line.
    """

    def __init__(self, violations: Iterable[InvalidInput]) -> None:
        self.violations = tuple(sorted(violations, key=lambda v: (v.line or 0, v.dotted_path)))
        first = self.violations[0]
        super().__init__(first.message, path=first.path, source=first.source, line=first.line)

    def __str__(self) -> str:
        lines = [str(violation) for violation in self.violations]
        if len(lines) > 1:
            lines.append(f"({len(lines)} mistakes)")
        return "\n".join(lines)
