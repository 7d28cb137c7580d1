"""Where objects are at the start, and which may end nowhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.graph.space import UNASSIGNED, Ints
from specs.entities import Entities

__all__ = ["AssignmentInput", "make_initial", "make_may_be_unassigned"]

AssignmentInput: TypeAlias = (
    Mapping[str, str | Mapping[str, int] | None] | npt.NDArray[np.integer] | Sequence[int] | None
)


def make_initial(
    value: AssignmentInput | Mapping[str, str | None], objects: Entities, containers: Entities
) -> Ints:
    """int32[n_objects] container of each object, -1 for none."""
    out = np.full(objects.size, UNASSIGNED, np.int32)
    if value is None:
        return out
    if not isinstance(value, Mapping):
        array = np.asarray(value)
        if array.dtype.kind not in "iu" or array.shape != (objects.size,):
            raise InvalidInput(
                f"the assignment as an array has one whole number for each of {objects.size} {objects.name}s "
                f"(-1: unassigned), got {array.dtype} of shape {array.shape}"
            )
        if array.min() < UNASSIGNED or array.max() >= containers.size:
            bad = array.max() if array.max() >= containers.size else array.min()
            raise InvalidInput(f"the assignment names container number {bad} of {containers.size}")
        return array.astype(np.int32)
    placed = np.zeros(objects.size, np.bool_)
    for name, target in value.items():
        members = objects.members(name)
        if isinstance(target, Mapping):
            members, targets = _by_count(name, members, target, containers)
        else:
            targets = [UNASSIGNED if target is None else containers.index(target)] * len(members)
        if placed[list(members)].any():
            raise InvalidInput(f"the assignment places {name!r} both by kind and by name")
        out[list(members)] = targets
        placed[list(members)] = True
    return out


def _by_count(
    name: str, members: Sequence[int], target: Mapping[str, int], containers: Entities
) -> tuple[Sequence[int], list[int]]:
    targets: list[int] = []
    for container, n in target.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
            raise InvalidInput(
                f"the assignment of {name!r} to {container!r} is a number of objects, got {n!r}"
            )
        targets.extend([containers.index(container)] * int(n))
    if len(targets) > len(members):
        raise InvalidInput(f"the assignment places {len(targets)} of {name!r}, there are {len(members)}")
    return members, targets + [UNASSIGNED] * (len(members) - len(targets))


def make_may_be_unassigned(
    value: bool | Sequence[str] | npt.NDArray[np.bool_] | None, initial: Ints, objects: Entities
) -> npt.NDArray[np.bool_]:
    """bool[n_objects]: whether each object may end in no container."""
    if value is None:
        return np.asarray(initial == UNASSIGNED)
    if isinstance(value, bool):
        return np.full(objects.size, value)
    if isinstance(value, np.ndarray):
        if value.dtype != np.bool_ or value.shape != (objects.size,):
            raise InvalidInput(f"may_be_unassigned as an array is bool[{objects.size}]")
        return np.asarray(value, np.bool_)
    if isinstance(value, str):
        raise InvalidInput(f"may_be_unassigned is true, false or a list of names, got {value!r}")
    out = np.zeros(objects.size, np.bool_)
    for name in value:
        out[list(objects.members(name))] = True
    return out
