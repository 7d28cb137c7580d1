"""Amounts on scope items in plain NumPy, dense and obvious: what every spec's `check` is written with.

Nothing here goes through the graph. Memory is objects × scope items, so this is for small problems.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput, Unsupported
from models.graph.cells import DENSE_LIMIT, Array
from models.graph.space import Ints
from models.graph.weights import StaticWeights
from specs.problem import Problem

__all__ = [
    "Mask",
    "capacity",
    "counted_objects",
    "inside",
    "members",
    "usage",
    "usage_by_group",
    "weight_table",
]

Mask = npt.NDArray[np.bool_]


def inside(problem: Problem, scope: str, assignment: Ints) -> Mask:
    """bool[n_objects, n_items]: whether each object is in each item of `scope`."""
    given = problem.scope(scope)
    if problem.objects.size * given.items.size > DENSE_LIMIT:
        raise Unsupported(
            "this problem is too large for the plain check; compare with the graph's evaluation"
        )
    table = np.zeros((problem.containers.size + 1, given.items.size), np.bool_)
    for container in range(problem.containers.size):
        table[container, given.indices[given.indptr[container] : given.indptr[container + 1]]] = True
    return table[assignment]


def counted_objects(problem: Problem, scope: str, assignment: Ints, counted: str) -> Mask:
    """bool[n_objects, n_items]: whether each object counts for each item."""
    before, after = inside(problem, scope, problem.space.initial), inside(problem, scope, assignment)
    masks = {
        "after": after,
        "before": before,
        "during": before | after,
        "new": after & ~before,
        "old": before & ~after,
        "moved": before ^ after,
        "stayed": before & after,
    }
    if counted not in masks:
        raise InvalidInput(f"unknown counted {counted!r}; one of {', '.join(sorted(masks))}")
    return masks[counted]


def weight_table(problem: Problem, scope: str, dimension: str) -> Array:
    """float64[n_objects, n_items, n_components]: what each object weighs on each item."""
    weights = problem.weights(dimension)
    n_items = problem.scope(scope).items.size
    if isinstance(weights, StaticWeights):
        shape = (problem.objects.size, n_items, weights.n_components)
        return np.broadcast_to(weights.values[:, None, :], shape)
    own = problem.by_item(dimension)
    assert own is not None
    by_own = np.repeat(weights.base[:, None], problem.scope(own).items.size, axis=1)
    for o, row in enumerate(weights.rows.tolist()):
        if row >= 0:
            stored = slice(weights.table.indptr[row], weights.table.indptr[row + 1])
            by_own[o, weights.table.indices[stored]] = weights.table.data[stored]
    if own == scope:
        return by_own[:, :, None]
    out = np.repeat(weights.base[:, None], n_items, axis=1)
    fine, coarse = problem.scope(scope), problem.scope(own)
    for container in range(problem.containers.size):
        for item in fine.indices[fine.indptr[container] : fine.indptr[container + 1]]:
            for target in coarse.indices[coarse.indptr[container] : coarse.indptr[container + 1]]:
                out[:, item] = by_own[:, target]
    return out[:, :, None]


def usage(problem: Problem, scope: str, dimension: str, assignment: Ints, counted: str = "after") -> Array:
    """float64[n_items × n_components], flat: the amount that counts on each item."""
    mask = counted_objects(problem, scope, assignment, counted)
    return np.asarray((mask[:, :, None] * weight_table(problem, scope, dimension)).sum(axis=0).reshape(-1))


def members(problem: Problem, partition: str) -> Mask:
    """bool[n_groups, n_objects]: whether each group has each object."""
    given = problem.partition(partition)
    out = np.zeros((given.groups.size, problem.objects.size), np.bool_)
    for o in range(problem.objects.size):
        out[given.indices[given.indptr[o] : given.indptr[o + 1]], o] = True
    return out


def usage_by_group(
    problem: Problem, partition: str, scope: str, dimension: str, assignment: Ints, counted: str = "after"
) -> Array:
    """float64[n_groups, n_items]: the amount of each group that counts on each item."""
    mask = counted_objects(problem, scope, assignment, counted)
    amount = mask * weight_table(problem, scope, dimension)[:, :, 0]
    return np.asarray(members(problem, partition).astype(np.float64) @ amount)


def capacity(problem: Problem, scope: str, dimension: str) -> Array:
    """Capacities, flat, in the order of `usage`."""
    given = problem.capacity(scope, dimension)
    components = problem.weights(dimension).n_components
    return np.repeat(given, components) if given.ndim == 1 else given.reshape(-1)
