"""What objects weigh: dimensions turned into the graph's weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.errors import InvalidInput, Unsupported
from models.graph.cells import Array
from models.graph.weights import DynamicWeights, StaticWeights, Weights
from specs.dimension import ByItem, Dimension
from specs.values import Named, complete

if TYPE_CHECKING:
    from specs.problem import Problem

__all__ = ["dynamic_entries", "make_weights", "table_of", "weights_on"]


def make_weights(name: str, dimension: Dimension, problem: Problem) -> Weights:
    """Weights of dimension `name`, for a dynamic one on the items of its own scope."""
    what = f"dimension {name!r}: value"
    base = complete(dimension.objects, problem.objects, what)
    if dimension.by_item is None:
        return StaticWeights.of(base)
    if base.ndim != 1:
        raise Unsupported(
            f"dimension {name!r} is both a vector and dependent on the place; make it one of them"
        )
    return _dynamic(name, base, dimension.by_item, problem)


def _dynamic(name: str, base: Array, by_item: ByItem, problem: Problem) -> DynamicWeights:
    items = problem.items(by_item.scope)
    if (by_item.values is None) == (by_item.columns is None):
        raise InvalidInput(f"dimension {name!r}: give either values or columns by item")
    rows: npt.NDArray[np.int32]
    keyed: Named
    if by_item.partition is None:
        keyed, rows = problem.objects, np.arange(problem.objects.size, dtype=np.int32)
    else:
        partition = problem.partition(by_item.partition)
        if not partition.disjoint:
            raise InvalidInput(
                f"dimension {name!r}: partition {by_item.partition!r} has overlapping groups; "
                "values by group need each object in at most one"
            )
        keyed, rows = problem.groups(by_item.partition), partition.single
    item, row, data = _entries(name, by_item, items, keyed)
    if np.unique(row * items.size + item).size != row.size:
        raise InvalidInput(f"dimension {name!r}: some pair of {keyed.name} and {items.name} has two values")
    return DynamicWeights(base, rows, table_of(row, item, data, keyed.size, items.size))


def dynamic_entries(name: str, by_item: ByItem, problem: Problem) -> dict[str, dict[str, float]]:
    """Item → {object or group: value} of every listed pair, however it was given."""
    items = problem.items(by_item.scope)
    keyed = problem.objects if by_item.partition is None else problem.groups(by_item.partition)
    out: dict[str, dict[str, float]] = {}
    for item, row, value in zip(*_entries(name, by_item, items, keyed), strict=True):
        out.setdefault(items.labels[item], {})[keyed.labels[row]] = float(value)
    return out


def _entries(
    name: str, by_item: ByItem, items: Named, keyed: Named
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Array]:
    """(item, row, value) of every listed pair."""
    what = f"dimension {name!r}: values by {items.name}"
    if by_item.columns is not None:
        item_column, row_column, values = by_item.columns
        item, row = _indices(item_column, items, what), _indices(row_column, keyed, what)
        data = np.asarray(values, np.float64)
        if not item.size == row.size == data.size:
            raise InvalidInput(f"{what}: columns of {item.size}, {row.size} and {data.size} entries")
    else:
        assert by_item.values is not None
        triples = [
            (i, k, value)
            for item_name, inside in by_item.values.items()
            for i in items.members(item_name)
            for key, value in _mapping(inside, f"{what} {item_name!r}").items()
            for k in keyed.members(key)
        ]
        item = np.array([t[0] for t in triples], np.int64)
        row = np.array([t[1] for t in triples], np.int64)
        data = np.array([_number(t[2], what) for t in triples], np.float64)
    if not np.all(np.isfinite(data)):
        raise InvalidInput(f"{what}: every value must be a finite number")
    return item, row, data


def _mapping(value: object, what: str) -> Mapping[str, float]:
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{what}: expected a mapping to numbers, got {value!r}")
    return value


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise InvalidInput(f"{what}: expected a number, got {value!r}")
    return float(value)


def _indices(column: npt.ArrayLike, of: Named, what: str) -> npt.NDArray[np.int64]:
    array = np.asarray(column)
    if array.dtype.kind in "iu":
        if array.size and (array.min() < 0 or array.max() >= of.size):
            raise InvalidInput(f"{what}: a number lies outside 0..{of.size - 1} of {of.name}")
        return array.astype(np.int64)
    names: Sequence[str] = array.tolist()
    known: dict[str, int] = {}
    for member in dict.fromkeys(names):
        known[member] = of.members(member)[0]
    return np.array([known[n] for n in names], np.int64)


def weights_on(scope: str, dimension: str, problem: Problem) -> Weights:
    """Weights of `dimension` on the items of `scope`.

    A static dimension weighs the same everywhere. A dynamic one applies on its own scope, and on a finer one
    (every item inside of at most one item of the dimension's scope).

    Raises
    ------
    Unsupported
        When an item of `scope` holds containers on which an object weighs differently.
    """
    weights = problem.weights(dimension)
    own = problem.by_item(dimension)
    if own is None or own == scope or isinstance(weights, StaticWeights):
        return weights
    coarse = problem.scope(own)
    if not coarse.disjoint:
        raise Unsupported(f"dimension {dimension!r} depends on {own!r}, whose items overlap; use that scope")
    fine = problem.scope(scope)
    position, item = fine.expand(np.arange(problem.containers.size))
    lies_in = np.full(fine.items.size, -1, np.int64)
    lies_in[item] = coarse.single[position]
    if np.any(lies_in[item] != coarse.single[position]):
        raise Unsupported(
            f"dimension {dimension!r} depends on {own!r}; an item of {scope!r} spans several of its items, "
            f"so an object has no single value there: use scope {own!r} or {problem.containers.name!r}"
        )
    # every stored (row, coarse item) becomes one entry for each fine item inside
    inside = np.flatnonzero(lies_in >= 0)
    inside = inside[np.argsort(lies_in[inside], kind="stable")]
    count = np.bincount(lies_in[inside], minlength=coarse.items.size)
    start = np.cumsum(count) - count
    table = weights.table
    row = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr))
    copies = count[table.indices]
    offset = np.arange(int(copies.sum())) - np.repeat(np.cumsum(copies) - copies, copies)
    fine_item = inside[np.repeat(start[table.indices], copies) + offset]
    made = table_of(
        np.repeat(row, copies), fine_item, np.repeat(table.data, copies), table.shape[0], fine.items.size
    )
    return DynamicWeights(weights.base, weights.rows, made)


def table_of(
    row: npt.NDArray[np.int64], item: npt.NDArray[np.int64], data: Array, n_rows: int, n_items: int
) -> sparse.csr_array:
    """Compressed rows that keep stored zeros: a weight of zero is not the base weight."""
    order = np.lexsort((item, row))
    indptr = np.zeros(n_rows + 1, np.int64)
    np.cumsum(np.bincount(row, minlength=n_rows), out=indptr[1:])
    return sparse.csr_array((data[order], item[order], indptr), shape=(n_rows, n_items))
