"""Mistakes of a document: collected, each with the path and line where it is."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from models.document import Document, InvalidDocument
from models.errors import FulcrumError, InvalidInput, UnknownName

__all__ = ["Mistakes", "Path", "shown"]

Path = tuple[str | int, ...]
_QUOTED = re.compile(r"'([^']+)'")


class Mistakes:
    """Collects what is wrong in a document, so that its author sees everything at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[InvalidInput] = []

    def add(self, message: str, path: Path) -> None:
        """Note a mistake at `path`."""
        self.found.append(self.document.error(message, path))

    def add_unknown(self, what: str, name: object, valid: object, path: Path) -> None:
        """Note a name that does not exist, with the nearest one that does."""
        names = [str(v) for v in valid]  # type: ignore[attr-defined]
        line = self.document.line_of(path)
        self.found.append(
            UnknownName(what, str(name), names, path=path, source=self.document.source, line=line)
        )

    def at(self, path: Path) -> _At:
        """Note an error raised inside as a mistake at `path`, or at the part of it that the error names."""
        return _At(self, path)

    def placed(self, error: FulcrumError, path: Path) -> InvalidInput:
        """`error` with its place in the document, at `path` or inside of it."""
        names = [error.name] if isinstance(error, UnknownName) else _QUOTED.findall(error.message)
        path, value = self._existing(error.path or path)
        for name in names:
            inside = _find(value, name)
            if inside is not None:
                path = path + inside
                break
        line, source = self.document.line_of(path), self.document.source
        if isinstance(error, UnknownName):
            return UnknownName(error.kind, error.name, error.valid, path=path, source=source, line=line)
        return InvalidInput(error.message, path=path, source=source, line=line)

    def finish(self) -> None:
        """Raise InvalidDocument when anything was noted."""
        if self.found:
            raise InvalidDocument(self.found)

    def _existing(self, path: Path) -> tuple[Path, Any]:
        """What the document has of `path` (a tier of one goal may be no list), and the value there."""
        value, out = self.document.value, list[str | int]()
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                continue
            out.append(part)
        return tuple(out), value


class _At:
    """Swallows errors of ours, noting them."""

    def __init__(self, mistakes: Mistakes, path: Path) -> None:
        self.mistakes = mistakes
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, FulcrumError):
            return False
        self.mistakes.found.append(self.mistakes.placed(error, self.path))
        return True


def _find(value: Any, name: str, budget: int = 100_000) -> Path | None:
    """Path inside `value` to the first key or text that is `name`, breadth first."""
    queue: list[tuple[Path, Any]] = [((), value)]
    for path, here in queue:
        if len(queue) > budget:
            return None
        entries = (
            enumerate(here) if isinstance(here, list) else here.items() if isinstance(here, dict) else ()
        )
        for key, inner in entries:
            if name in (key, inner):
                return (*path, key)
            queue.append(((*path, key), inner))
    return None


def shown(value: object) -> str:
    """A short form of `value` for a message."""
    if value is None:
        return "nothing"
    if isinstance(value, (dict, list)):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
