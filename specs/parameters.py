"""Parameters that many specs share, and how they become arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np

from models.errors import InvalidInput, Unsupported
from models.graph.cells import DENSE_LIMIT, Array, summed
from specs.problem import Problem
from specs.values import Named, Numbers, complete

__all__ = ["Bound", "CellNumbers", "Counted", "cell_numbers", "chosen", "initial_usage", "item_numbers"]

Counted: TypeAlias = Literal["after", "before", "during", "new", "old", "moved", "stayed"]
"""Which objects count for a place: there after the change, before it, at either time, only after, only
before, exactly one of both, both."""
Bound: TypeAlias = Literal["max", "min", "exact"]
"""Whether an amount may not exceed its limit, not fall below it, or neither."""
CellNumbers: TypeAlias = Mapping[str, Mapping[str, float]]
"""Group → {scope item: number}."""


def chosen(names: tuple[str, ...] | None, of: Named, what: str) -> Array:
    """float64[n]: 1 for the items that are meant (all when `names` is None), else 0.

    Raises InvalidInput for an empty choice and UnknownName for a name that does not exist.
    """
    if names is None:
        return np.ones(of.size)
    if not names:
        raise InvalidInput(f"{what}: the list is empty; leave it out to mean all")
    out = np.zeros(of.size)
    for name in names:
        out[list(of.members(name))] = 1.0
    return out


def item_numbers(problem: Problem, values: Numbers, scope: str, dimension: str, what: str) -> Array:
    """`values` for the items of `scope`, flat in the order of the usage of `dimension`."""
    given = complete(values, problem.items(scope), what)
    components = problem.weights(dimension).n_components
    if given.ndim == 1:
        return np.repeat(given, components)
    if given.shape[1] != components:
        raise InvalidInput(
            f"{what} has {given.shape[1]} components, dimension {dimension!r} has {components}"
        )
    return given.reshape(-1)


def cell_numbers(
    groups: Named,
    items: Named,
    everywhere: float,
    by_group: Numbers | None,
    by_item: Numbers | None,
    by_cell: CellNumbers | None,
    what: str,
) -> Array:
    """A number for each (group, item), two-dimensional and broadcastable: cell, else item, else group, else
    everywhere. A mapping may leave out names; they fall through to the next.
    """
    from specs.values import numbers

    row = np.full((1, 1), float(everywhere))
    if by_group is not None:
        given = numbers(by_group, groups, f"{what} by group")
        row = np.where(np.isnan(given), everywhere, given).reshape(-1, 1)
    if by_item is not None:
        column = numbers(by_item, items, f"{what} by item").reshape(1, -1)
        if row.size > 1 and row.size * column.size > DENSE_LIMIT:
            raise Unsupported(f"{what}: limits by group and by item together need a table of {row.size} × "
                              f"{column.size} numbers; give one of them")  # fmt: skip
        row = np.where(np.isnan(column), row, column)
    if by_cell:
        if groups.size * items.size > DENSE_LIMIT:
            raise Unsupported(f"{what}: limits by cell need a table of {groups.size} × {items.size} numbers")
        row = np.broadcast_to(row, (groups.size, items.size)).copy()
        for group, inside in by_cell.items():
            for item, value in inside.items():
                if not np.isfinite(value):
                    raise InvalidInput(
                        f"{what} of {group!r} on {item!r}: expected a finite number, got {value}"
                    )
                row[np.ix_(list(groups.members(group)), list(items.members(item)))] = value
    return row


def initial_usage(problem: Problem, scope: str, dimension: str) -> Array:
    """float64[n_items, n_components]: usage of the items of `scope` at the start."""
    held, weights = problem.scope(scope), problem.weights_on(scope, dimension)
    objects, items = held.expand(problem.space.initial)
    amount = weights.at(objects, items)
    return np.column_stack([summed(items, column, held.items.size) for column in amount.T])
