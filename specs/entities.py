"""Objects and containers: named sets, given by name, by count, or as identical ones by kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, UnknownName
from models.graph.axis import Axis

__all__ = ["DEFAULT", "Entities", "Numbered"]

DEFAULT = "default"
"""Key of a mapping of values that stands for every name not listed; no entity may be called so."""


class Numbered(Sequence[str]):
    """The names ``prefix0``, ``prefix1``, … without holding a million strings."""

    __slots__ = ("_n", "_prefix")

    def __init__(self, prefix: str, n: int) -> None:
        self._prefix = prefix
        self._n = n

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """Name number `index`."""
        if isinstance(index, slice):
            return [f"{self._prefix}{i}" for i in range(*index.indices(self._n))]
        if not -self._n <= index < self._n:
            raise IndexError(index)
        return f"{self._prefix}{index % self._n}"

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[str]:
        return (f"{self._prefix}{i}" for i in range(self._n))

    def find(self, name: object) -> int | None:
        """Number of `name`, None when it is not one of these names."""
        if not isinstance(name, str) or not name.startswith(self._prefix):
            return None
        digits = name[len(self._prefix) :]
        if not digits.isascii() or not digits.isdigit() or (digits[0] == "0" and digits != "0"):
            return None
        return int(digits) if len(digits) <= len(str(self._n)) and int(digits) < self._n else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Entities:
    """A named set of objects or containers; exactly one of `ids`, `count` and `counts`.

    Parameters
    ----------
    name
        What one of them is called: ``task``, ``host``. For containers also the name of the scope in which
        every container is its own item.
    ids
        Their names, unique.
    count
        How many there are; they are called ``<name>0``, ``<name>1``, …
    counts
        Identical ones by kind: ``{"small": 10, "large": 2}`` makes ``small/0`` … ``large/1``. Values,
        groups and assignments may then be given by kind.

    Raises
    ------
    InvalidInput
        For an empty set, a repeated or empty name, or the reserved name ``default``.
    """

    name: str
    ids: Sequence[str] | npt.NDArray[np.str_] | None = None
    count: int | None = None
    counts: Mapping[str, int] | None = None
    labels: Sequence[str] = field(init=False, repr=False)
    kind_of: npt.NDArray[np.int32] | None = field(init=False, repr=False, default=None)
    kinds: tuple[str, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        if not self.name:
            raise InvalidInput("a set of objects or containers needs a name")
        if sum(x is not None for x in (self.ids, self.count, self.counts)) != 1:
            raise InvalidInput(f"{self.name}: give exactly one of ids, count and counts")
        set_ = object.__setattr__
        if self.ids is not None:
            set_(self, "labels", _checked_ids(self.name, self.ids))
        elif self.count is not None:
            _whole(self.count, f"{self.name}: count", least=1)
            set_(self, "labels", Numbered(self.name, int(self.count)))
        else:
            assert self.counts is not None
            for kind, n in self.counts.items():
                _whole(n, f"{self.name}: count of {kind!r}", least=0)
            set_(self, "kinds", tuple(self.counts))
            sizes = list(self.counts.values())
            set_(self, "kind_of", np.repeat(np.arange(len(sizes), dtype=np.int32), sizes))
            made = [f"{kind}/{i}" for kind, n in self.counts.items() for i in range(n)]
            set_(self, "labels", _checked_ids(self.name, [*made, *self.counts])[: len(made)])
        if not len(self.labels):
            raise InvalidInput(f"there is no {self.name}: the set is empty")

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.labels)

    @cached_property
    def axis(self) -> Axis:
        """The graph's axis over them."""
        return Axis(self.name, self.size, self.labels)

    @cached_property
    def _by_name(self) -> dict[str, int]:
        return {label: i for i, label in enumerate(self.labels)}

    def find(self, name: object) -> int | None:
        """Index of `name`, None when there is no such entity."""
        if isinstance(self.labels, Numbered):
            return self.labels.find(name)
        return self._by_name.get(name) if isinstance(name, str) else None

    def index(self, name: object) -> int:
        """Index of `name`; raises UnknownName."""
        found = self.find(name)
        if found is None:
            raise UnknownName(self.name, str(name), self.labels if self.size <= 10_000 else ())
        return found

    def members(self, name: object) -> Sequence[int]:
        """Indices of the entity or, when `name` is a kind, of all of that kind; raises UnknownName."""
        if self.kind_of is not None and name in self.kinds:
            return np.flatnonzero(self.kind_of == self.kinds.index(str(name))).tolist()
        return (self.index(name),)


def _checked_ids(name: str, ids: Sequence[str] | npt.NDArray[np.str_]) -> Sequence[str]:
    if isinstance(ids, str):
        raise InvalidInput(f"{name}: ids is a list of names, got the text {ids!r}")
    plain: list[str] = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
    if len(set(plain)) != len(plain):
        seen: set[str] = set()
        twice = next(x for x in plain if x in seen or seen.add(x))  # type: ignore[func-returns-value]
        raise InvalidInput(f"{name}: the name {twice!r} is given twice")
    for label in plain:
        if not isinstance(label, str) or not label:
            raise InvalidInput(f"{name}: a name is non-empty text, got {label!r}")
    if DEFAULT in plain:
        raise InvalidInput(f"{name}: {DEFAULT!r} is reserved for values and cannot be the name of a {name}")
    return plain


def _whole(n: object, what: str, *, least: int) -> None:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < least:
        raise InvalidInput(f"{what} must be a whole number of at least {least}, got {n!r}")
