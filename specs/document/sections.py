"""The sections of a document that say what there is: objects, containers, scopes, partitions, dimensions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from specs.dimension import ByItem, Dimension
from specs.document.columns import Columns, is_reference
from specs.document.convert import INVALID, convert, convert_fields
from specs.document.locate import Mistakes, Path, shown
from specs.entities import Entities
from specs.grouping import Over, PartitionInput, ScopeInput
from specs.start import AssignmentInput
from specs.values import Numbers

__all__ = ["Sections"]

_NAMES = list[str]


@dataclass(frozen=True)
class _Entities:
    """What a document may say of objects or containers."""

    name: str
    ids: list[str] | None = None
    count: int | None = None
    counts: dict[str, int] | None = None


@dataclass(frozen=True)
class _Dimension:
    """What a document may say of a dimension beside the values that may come from files."""

    objects: Numbers
    unit: str = ""


@dataclass(frozen=True)
class _ByItem:
    """What a document may say of values that depend on the place, unless they are columns."""

    scope: str
    values: dict[str, dict[str, float]] | None = None
    partition: str | None = None


class Sections:
    """Reads sections; mistakes are noted, and what cannot be read is None."""

    def __init__(self, mistakes: Mistakes, base: FilePath | None, most_entities: int | None = None) -> None:
        self.mistakes = mistakes
        self.most_entities = most_entities
        self.columns = Columns(base)

    def entities(self, value: Any, path: Path) -> Entities | None:
        """``{name: task, ids: [...]}``, or with ``count`` or ``counts``; ids may be a column of a file."""
        if not isinstance(value, dict):
            self.mistakes.add(
                f"expected a mapping such as {{name: task, ids: [...]}}, got {shown(value)}", path
            )
            return None
        ids: Any = value.get("ids")
        rest = value
        if is_reference(ids):
            ids = self._read(ids, (*path, "ids"))
            rest = {k: v for k, v in value.items() if k != "ids"}
        made = convert_fields(rest, _Entities, path, self.mistakes)
        if made is None or ids is INVALID:
            return None
        count = (made.get("count") or 0) + sum((made.get("counts") or {}).values())
        if self.most_entities is not None and count > self.most_entities:
            where = "count" if made.get("count") else "counts"
            self.mistakes.add(
                f"{count:,} are more than the {self.most_entities:,} allowed here", (*path, where)
            )
            return None
        if rest is not value:
            made["ids"] = ids
        with self.mistakes.at(path):
            return Entities(**made)
        return None

    def assignment(self, value: Any, path: Path) -> AssignmentInput:
        """Object → container, null, or {container: number}; or a column of numbers or names."""
        if value is None or is_reference(value):
            return None if value is None else self._read(value, path)
        made = convert(value, dict[str, str | dict[str, int] | None], path, self.mistakes)
        return None if made is INVALID else made

    def may_be_unassigned(self, value: Any, path: Path) -> Any:
        """``true``, ``false`` or a list of names."""
        made = convert(value, bool | list[str] | None, path, self.mistakes)
        return None if made is INVALID else made

    def scopes(self, value: Any, path: Path) -> dict[str, ScopeInput]:
        """Scope → container → item or items; or ``{over: scope, items: {...}}``; or a column."""

        def read(inner: Any, at: Path) -> Any:
            if isinstance(inner, dict) and set(inner) == {"over", "items"}:
                over = convert(inner["over"], str, (*at, "over"), self.mistakes)
                items = convert(inner["items"], dict[str, str | _NAMES], (*at, "items"), self.mistakes)
                return INVALID if over is INVALID or items is INVALID else Over(scope=over, items=items)
            return convert(inner, dict[str, str | _NAMES], at, self.mistakes)

        return self._each(value, path, read)

    def partitions(self, value: Any, path: Path) -> dict[str, PartitionInput]:
        """Partition → group → objects; or a column."""
        return self._each(value, path, lambda v, at: convert(v, dict[str, _NAMES], at, self.mistakes))

    def dimensions(self, value: Any, path: Path) -> dict[str, Dimension]:
        """Dimension → ``{objects, containers, items, by_item, unit}``."""
        return self._each(value, path, self._dimension)

    def _dimension(self, value: Any, path: Path) -> Any:
        if not isinstance(value, dict):
            self.mistakes.add(f"expected a mapping such as {{objects: {{...}}}}, got {shown(value)}", path)
            return INVALID
        plain = {k: v for k, v in value.items() if k not in ("objects", "containers", "items", "by_item")}
        special = {k: self._special(k, v, (*path, k)) for k, v in value.items() if k not in plain}
        made = convert_fields({**plain, "objects": 0.0} if "objects" in value else plain, _Dimension, path,
                              self.mistakes)  # fmt: skip
        if made is None or any(v is INVALID for v in special.values()):
            return INVALID
        return Dimension(**{**made, **special})

    def _special(self, key: str, value: Any, path: Path) -> Any:
        if key == "items":
            return self._each(value, path, self._numbers)
        return self._by_item(value, path) if key == "by_item" else self._numbers(value, path)

    def _numbers(self, value: Any, path: Path) -> Any:
        if is_reference(value):
            return self._read(value, path)
        return convert(value, Numbers, path, self.mistakes)

    def _by_item(self, value: Any, path: Path) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("columns"), dict):
            made = convert_fields(value, _ByItem, path, self.mistakes)
            return INVALID if made is None else ByItem(**made)
        at, given = (*path, "columns"), value["columns"]
        made = convert_fields(
            {k: v for k, v in value.items() if k != "columns"}, _ByItem, path, self.mistakes
        )
        keys = ("file", "items", "objects", "values")
        for key in given:
            if key not in keys:
                self.mistakes.add_unknown("key", key, keys, (*at, key))
        missing = [key for key in keys if key not in given]
        if missing:
            self.mistakes.add(f"missing key {missing[0]!r}", at)
        if made is None or missing or len(given) != len(keys):
            return INVALID
        columns = [self._read({"file": given["file"], "column": given[k]}, (*at, k)) for k in keys[1:]]
        return INVALID if any(c is INVALID for c in columns) else ByItem(**made, columns=tuple(columns))

    def _each(self, value: Any, path: Path, read: Callable[[Any, Path], Any]) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.mistakes.add(f"expected a mapping by name, got {shown(value)}", path)
            return {}
        out: dict[str, Any] = {}
        for name, inner in value.items():
            at = (*path, name)
            made = self._read(inner, at) if is_reference(inner) else read(inner, at)
            if made is not INVALID:
                out[name] = made
        return out

    def _read(self, reference: dict[str, Any], path: Path) -> Any:
        with self.mistakes.at(path):
            return self.columns.read(reference)
        return INVALID
