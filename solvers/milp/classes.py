"""Objects no solver can tell apart are decided together, as whole numbers per container."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.graph import UNASSIGNED, AssignmentSpace, DynamicWeights, Graph, Weights
from models.graph.ops import Before, GroupUsage, PairCost, Usage
from models.graph.space import Ints
from solvers.milp.linear import Indices

__all__ = ["ObjectClasses", "find_classes", "split"]


@dataclass(frozen=True, eq=False, slots=True)
class ObjectClasses:
    """Objects by class.

    ``of``: int64[n_objects], class of each object, numbered by first member; ``first``: int64[n_classes],
    that member; ``size``: int64[n_classes].
    """

    of: Indices
    first: Indices
    size: Indices

    @property
    def n(self) -> int:
        """Number of classes."""
        return int(self.first.size)


def find_classes(graph: Graph) -> ObjectClasses:
    """Classes of interchangeable objects.

    Two objects are interchangeable when every leaf of the graph gives them the same weights and groups, both
    may or may not stay unassigned, and, where some leaf looks at the start, they start in the same container.
    """
    space = graph.space
    n = space.n_objects
    columns: list[npt.NDArray[np.float64]] = [space.may_be_unassigned.astype(np.float64)]
    start_matters = np.zeros(n, np.bool_)
    alone = np.zeros(n, np.bool_)
    seen: set[int] = set()
    for node in graph.nodes:
        op = node.op
        if isinstance(op, PairCost):
            alone[op.first] = alone[op.second] = True
        if isinstance(op, Before) or not isinstance(op, (Usage, GroupUsage)):
            continue
        if id(op.weights) not in seen:
            seen.add(id(op.weights))
            columns.extend(_signature(op.weights))
        counts = _ever_nonzero(op.weights)
        if isinstance(op, GroupUsage):
            if id(op.partition) not in seen:
                seen.add(id(op.partition))
                columns.append(_row_ids(op.partition.indptr, op.partition.indices))
            counts = counts & (np.diff(op.partition.indptr) > 0)
        if op.counted != "after":
            start_matters |= counts
    columns.append(np.where(start_matters, space.initial, UNASSIGNED - 1).astype(np.float64))
    columns.append(np.where(alone, np.arange(n), -1).astype(np.float64))
    return _grouped(columns, n)


def _grouped(columns: list[npt.NDArray[np.float64]], n: int) -> ObjectClasses:
    label = np.zeros(n, np.int64)
    for column in columns:
        _, code = np.unique(column, return_inverse=True)
        _, label = np.unique(label * (int(code.max(initial=0)) + 1) + code, return_inverse=True)
    _, first, of = np.unique(label, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    of = rank[of]
    return ObjectClasses(of, first[order].astype(np.int64), np.bincount(of, minlength=order.size))


def _signature(weights: Weights) -> list[npt.NDArray[np.float64]]:
    if isinstance(weights, DynamicWeights):
        return [weights.base, weights.rows.astype(np.float64)]
    return list(weights.values.T)


def _ever_nonzero(weights: Weights) -> npt.NDArray[np.bool_]:
    if isinstance(weights, DynamicWeights):
        return np.asarray((weights.base != 0) | (weights.rows >= 0))
    return np.asarray(np.any(weights.values != 0, axis=1))


def _row_ids(indptr: Indices, indices: Ints) -> npt.NDArray[np.float64]:
    """float64[n]: equal for objects with equal rows."""
    if np.all(np.diff(indptr) <= 1):
        out = np.full(indptr.size - 1, -1.0)
        out[np.diff(indptr) == 1] = indices
        return out
    ids: dict[bytes, int] = {}
    return np.array(
        [ids.setdefault(indices[a:b].tobytes(), len(ids)) for a, b in itertools.pairwise(indptr.tolist())],
        np.float64,
    )


def split(space: AssignmentSpace, classes: ObjectClasses, container_of_slot: Ints) -> Ints:
    """Assignment of single objects from the classes' counts, moving as few of them as possible.

    Parameters
    ----------
    container_of_slot
        int32[n_objects]: containers (-1 unassigned) given to each class, class after class in order of class
        number, as many entries for a class as it has objects.
    """
    by_class = np.argsort(classes.of, kind="stable")
    starts = np.cumsum(classes.size) - classes.size
    out = np.empty(space.n_objects, np.int32)
    for start, size in zip(starts.tolist(), classes.size.tolist(), strict=True):
        members = by_class[start : start + size]
        given = container_of_slot[start : start + size]
        out[members] = given if size == 1 else _matched(space.initial[members], given)
    return out


def _matched(initial: Ints, given: Ints) -> Ints:
    """`given` reordered so that as many entries as possible equal `initial`."""
    left: dict[int, int] = {}
    for container in given.tolist():
        left[container] = left.get(container, 0) + 1
    out = np.empty(initial.size, np.int32)
    waiting = []
    for i, container in enumerate(initial.tolist()):
        if left.get(container, 0) > 0:
            left[container] -= 1
            out[i] = container
        else:
            waiting.append(i)
    rest = [c for c in sorted(left) for _ in range(left[c])]
    out[waiting] = rest
    return out
