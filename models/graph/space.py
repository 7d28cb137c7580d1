"""What is assigned to what: objects, containers, scopes over containers, partitions of objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.graph.axis import Axis

__all__ = ["UNASSIGNED", "AssignmentSpace", "Ints", "Partition", "Scope"]

Ints = npt.NDArray[np.int32]

UNASSIGNED = -1
"""The container index of an object that is in no container."""


@dataclass(frozen=True)
class AssignmentSpace:
    """The decision: every object gets one container, or none where that is allowed.

    Parameters
    ----------
    objects, containers
        Axes with labels.
    initial
        int32[n_objects]: container at the start, -1 for unassigned.
    may_be_unassigned
        bool[n_objects]: whether the object may end in no container.
    """

    objects: Axis
    containers: Axis
    initial: Ints
    may_be_unassigned: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.initial.shape != (self.objects.size,) or self.may_be_unassigned.shape != (self.objects.size,):
            raise InvalidInput("initial and may_be_unassigned need one entry for each object")
        if self.initial.size and (
            self.initial.min() < UNASSIGNED or self.initial.max() >= self.containers.size
        ):
            raise InvalidInput("the initial assignment names a container that does not exist")

    @property
    def n_objects(self) -> int:
        """Number of objects."""
        return self.objects.size

    @property
    def n_containers(self) -> int:
        """Number of containers, the unassigned state not counted."""
        return self.containers.size

    def check(self, assignment: npt.ArrayLike) -> Ints:
        """`assignment` as int32[n_objects]; raises InvalidInput when it is not a valid assignment."""
        out = np.asarray(assignment, dtype=np.int32)
        if out.shape != (self.n_objects,):
            raise InvalidInput(f"an assignment has {self.n_objects} entries, got shape {out.shape}")
        if out.size and (out.min() < UNASSIGNED or out.max() >= self.n_containers):
            raise InvalidInput("an assignment names a container that does not exist")
        stranded = np.flatnonzero((out == UNASSIGNED) & ~self.may_be_unassigned)
        if stranded.size:
            raise InvalidInput(f"{self.objects.label(int(stranded[0]))} may not be unassigned")
        return out


def _check_rows(name: str, indptr: npt.NDArray[np.int64], indices: Ints, n_targets: int) -> None:
    if indptr[0] != 0 or indptr[-1] != indices.size or np.any(np.diff(indptr) < 0):
        raise InvalidInput(f"{name}: row pointers do not fit {indices.size} entries")
    if indices.size and (indices.min() < 0 or indices.max() >= n_targets):
        raise InvalidInput(f"{name}: an entry lies outside 0..{n_targets - 1}")


@dataclass(frozen=True, eq=False)
class _Rows:
    """Compressed rows source → targets, targets sorted within a row."""

    name: str
    targets: Axis
    indptr: npt.NDArray[np.int64]
    indices: Ints

    def __post_init__(self) -> None:
        _check_rows(self.name, self.indptr, self.indices, self.targets.size)

    @cached_property
    def disjoint(self) -> bool:
        """Whether every source has at most one target."""
        return bool(np.all(np.diff(self.indptr) <= 1))

    @cached_property
    def single(self) -> Ints:
        """int32[n_sources]: the one target of each source, -1 for none. Only when `disjoint`."""
        assert self.disjoint
        out = np.full(self.indptr.size - 1, -1, np.int32)
        out[np.diff(self.indptr) == 1] = self.indices
        return out

    @cached_property
    def _keys(self) -> npt.NDArray[np.int64]:
        sources = np.repeat(np.arange(self.indptr.size - 1, dtype=np.int64), np.diff(self.indptr))
        return sources * self.targets.size + self.indices

    def expand(self, sources: npt.NDArray[np.integer]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """All (position in `sources`, target) pairs, in order of position.

        A source of -1 is the last row.
        """
        if self.disjoint:
            target = self.single[sources]
            position = np.flatnonzero(target >= 0)
            return position, target[position].astype(np.int64)
        n_rows = self.indptr.size - 1
        rows = np.where(sources < 0, n_rows + sources, sources).astype(np.int64)
        start = self.indptr[rows]
        count = self.indptr[rows + 1] - start
        position = np.repeat(np.arange(rows.size, dtype=np.int64), count)
        offset = np.arange(position.size, dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)
        return position, self.indices[np.repeat(start, count) + offset].astype(np.int64)

    def contains(
        self, sources: npt.NDArray[np.integer], targets: npt.NDArray[np.integer]
    ) -> npt.NDArray[np.bool_]:
        """bool[n]: whether ``targets[i]`` is among the targets of ``sources[i]`` (-1: the last row)."""
        if self.disjoint:
            return np.asarray(self.single[sources] == targets)
        n_rows = self.indptr.size - 1
        rows = np.where(sources < 0, n_rows + sources, sources).astype(np.int64)
        wanted = rows * self.targets.size + targets
        place = np.minimum(np.searchsorted(self._keys, wanted), max(self._keys.size - 1, 0))
        return np.asarray(self._keys[place] == wanted) if self._keys.size else np.zeros(wanted.size, np.bool_)

    @classmethod
    def _from_lists(cls, name: str, targets: Axis, rows: Sequence[Sequence[int]]) -> _Rows:
        indptr = np.zeros(len(rows) + 1, np.int64)
        indptr[1:] = np.cumsum([len(set(r)) for r in rows])
        flat = [t for r in rows for t in sorted(set(r))]
        return cls(name, targets, indptr, np.asarray(flat, np.int32))


@dataclass(frozen=True, eq=False)
class Scope(_Rows):
    """Containers → items. ``indptr``: int64[n_containers + 2]; the last row is the unassigned state.

    Partial (a container with no item) and overlapping (several items) scopes are allowed. Usually the
    unassigned state has no item.
    """

    @property
    def items(self) -> Axis:
        """The axis of the scope's items."""
        return self.targets

    @classmethod
    def from_single(cls, name: str, items: Axis, item_of_container: npt.ArrayLike) -> Scope:
        """A disjoint scope from int[n_containers], -1 for containers outside of it."""
        item = np.append(np.asarray(item_of_container, np.int32), np.int32(-1))
        indptr = np.zeros(item.size + 1, np.int64)
        np.cumsum(item >= 0, out=indptr[1:])
        return cls(name, items, indptr, item[item >= 0])

    @classmethod
    def from_lists(cls, name: str, items: Axis, items_of_container: Sequence[Sequence[int]]) -> Scope:
        """An overlapping scope from one list of items for each container."""
        made = cls._from_lists(name, items, [*items_of_container, []])
        assert isinstance(made, Scope)
        return made

    @classmethod
    def identity(cls, containers: Axis) -> Scope:
        """Every container is its own item; the unassigned state has none."""
        return cls.from_single(containers.name, containers, np.arange(containers.size))

    @classmethod
    def places(cls, containers: Axis) -> Scope:
        """Every container and, as the last item, the unassigned state: what "moved" is counted over."""
        n = containers.size
        axis = Axis(f"{containers.name} or unassigned", n + 1)
        return cls(axis.name, axis, np.arange(n + 2, dtype=np.int64), np.arange(n + 1, dtype=np.int32))


@dataclass(frozen=True, eq=False)
class Partition(_Rows):
    """Objects → groups. ``indptr``: int64[n_objects + 1]. Groups may overlap, need not cover all."""

    group_sizes: npt.NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "group_sizes", np.bincount(self.indices, minlength=self.targets.size))

    @property
    def groups(self) -> Axis:
        """The axis of the partition's groups."""
        return self.targets

    @classmethod
    def from_single(cls, name: str, groups: Axis, group_of_object: npt.ArrayLike) -> Partition:
        """A disjoint partition from int[n_objects], -1 for objects in no group."""
        group = np.asarray(group_of_object, np.int32)
        indptr = np.zeros(group.size + 1, np.int64)
        np.cumsum(group >= 0, out=indptr[1:])
        return cls(name, groups, indptr, group[group >= 0])

    @classmethod
    def from_lists(cls, name: str, groups: Axis, groups_of_object: Sequence[Sequence[int]]) -> Partition:
        """An overlapping partition from one list of groups for each object."""
        made = cls._from_lists(name, groups, groups_of_object)
        assert isinstance(made, Partition)
        return made
