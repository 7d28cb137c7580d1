"""JSON read as JSON: what programs write is a hundred times quicker read so than as the YAML it also is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from yaml.reader import Reader

from models.errors import InvalidInput

__all__ = ["LaterLines", "NotJson", "plain_json"]

Path = tuple[str | int, ...]

LONGEST_INTEGER = 19
"""Characters of a number that surely fits 64 bits; longer ones are floats."""


class NotJson(Exception):
    """The text is no JSON mapping, or one with something that documents may not have."""


def plain_json(text: str, *, most_values: int, most_depth: int) -> dict[str, Any]:
    """Return the mapping that a JSON text is.

    Raises
    ------
    NotJson
        For any other text, duplicate keys, characters that YAML has not, and values deeper than may be:
        whoever reads it as YAML then finds the reason with its line.
    InvalidInput
        For more values than may be, at once: so many take YAML seconds.
    """
    if not text.startswith("{") or Reader.NON_PRINTABLE.search(text) is not None:
        raise NotJson
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise NotJson from None
    count, level = 0, [value]
    for _ in range(most_depth + 1):
        count += len(level)
        if count > most_values:
            raise InvalidInput(f"more than {most_values:,} values")
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    if level:
        raise NotJson
    assert isinstance(value, dict)
    return value


class LaterLines(Mapping[Path, int]):
    """Lines that are looked up when first asked for: of a document without mistakes nobody asks."""

    def __init__(self, find: Callable[[], Mapping[Path, int]]) -> None:
        self._find = find
        self._found: Mapping[Path, int] | None = None

    def _lines(self) -> Mapping[Path, int]:
        if self._found is None:
            self._found = self._find()
        return self._found

    def __getitem__(self, path: Path) -> int:
        return self._lines()[path]

    def __iter__(self) -> Iterator[Path]:
        return iter(self._lines())

    def __len__(self) -> int:
        return len(self._lines())


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("duplicate key")
    return made


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= LONGEST_INTEGER else float(text)


def _refused(name: str) -> Any:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_mapping, parse_int=_integer, parse_constant=_refused)
