"""Flat tables of group counts: rows that can bind, limits, allowances, terms, spread, dependencies."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.graph.cells import Array
from models.graph.space import Ints
from solvers.search import layout
from solvers.search.columns import Block
from solvers.search.goals import Parts
from solvers.search.grouped import GroupTable
from solvers.search.pools import Pool, item_of_container, longs

__all__ = ["TABLE_LIMIT", "group_tables"]

TABLE_LIMIT = 200_000_000
"""Largest number of group × item counts held in a table; above it counts go through the members."""


def _binding(table: GroupTable, everywhere: bool) -> Any:
    """Groups whose counts can cost or break anything. `everywhere`: every object is always on some item."""
    sizes = table.partition.group_sizes
    shape = (sizes.size, table.scope.items.size)
    binding = np.zeros(sizes.size, np.bool_)
    if table.limit is not None:
        least = np.broadcast_to(table.limit, (table.limit.shape[0], shape[1])).min(axis=1, initial=np.inf)
        binding |= sizes > least
    if table.least is not None:
        binding |= table.least > np.where(everywhere & (sizes > 0), 1, 0)
    if table.needs is not None:
        binding[table.needs.reshape(-1)] = True
    for term in table.terms:
        if term.kind == layout.POSITIVE_PART and np.all(term.alpha >= 0):
            most = sizes[:, None] * term.alpha + term.beta
            binding |= np.broadcast_to(most.max(axis=1) > 0, sizes.shape)
        else:
            binding |= sizes > 0
    return np.flatnonzero(binding)


class _Writer:
    """The pools of all group tables."""

    def __init__(self, start: Ints, m: int) -> None:
        self.start, self.m = start, m
        self.meta: list[list[int]] = []
        self.row_ptr, self.row_of = Pool(np.int64), Pool(np.int32)
        self.member_ptr, self.member = Pool(np.int64), Pool(np.int32)
        self.limits, self.slopes, self.params = Pool(np.int32), Pool(np.float64), Pool(np.float64)
        self.term_meta: list[list[int]] = []
        self.param_tiers: list[Any] = []
        self.allow_key, self.allow_count = Pool(np.int64), Pool(np.int32)
        self.edge_ptr, self.edge_of = Pool(np.int64), Pool(np.int32)
        self.n_counts = 0

    def table(self, table: GroupTable, block: Block, kept: Any) -> None:
        """Write one table with the rows `kept`."""
        partition, n = table.partition, block.n_items
        compact = np.full(partition.groups.size, -1, np.int64)
        compact[kept] = np.arange(kept.size)
        objects, group = partition.expand(np.arange(partition.indptr.size - 1))
        inside = compact[group] >= 0
        objects, rows = objects[inside], compact[group[inside]]
        row = [0] * layout.GROUP
        row[layout.G_ITEM_OF], row[layout.G_ITEMS] = block.index * (self.m + 2), n
        row[layout.G_TABLE] = -1
        if kept.size * n <= TABLE_LIMIT:
            row[layout.G_TABLE] = self.n_counts
            self.n_counts += kept.size * n
        first = self.row_of.add(rows)
        count = np.bincount(objects, minlength=partition.indptr.size - 1)
        row[layout.G_ROWS_OF] = self.row_ptr.add(np.append(0, np.cumsum(count)) + first)
        order = np.argsort(rows, kind="stable")
        first = self.member.add(objects[order])
        row[layout.G_MEMBERS] = self.member_ptr.add(
            np.append(0, np.cumsum(np.bincount(rows, minlength=kept.size))) + first
        )
        row[layout.G_ROWS] = kept.size
        row[layout.G_PENALTY] = self.slopes.add([table.slope, table.least_slope, 1.0])
        row[layout.G_LIMIT] = row[layout.G_DISTINCT] = row[layout.G_LEAST] = row[layout.G_NEEDS] = -1
        if table.limit is not None:
            self._limit(table, row, kept, compact, objects, rows, block)
        if table.tracked:
            self._tracked(table, row, kept, compact)
        self._terms(table, row, kept)
        self.meta.append(row)

    def _limit(
        self,
        table: GroupTable,
        row: list[int],
        kept: Any,
        compact: Any,
        objects: Any,
        rows: Any,
        block: Block,
    ) -> None:
        assert table.limit is not None
        limit = table.limit if table.limit.shape[0] == 1 else table.limit[kept]
        row[layout.G_LIMIT] = self.limits.add(np.clip(limit, -1, 2**30))
        row[layout.G_LIMIT_ROW] = limit.shape[1] if limit.shape[0] > 1 else 0
        row[layout.G_LIMIT_COLUMN] = 1 if limit.shape[1] > 1 else 0
        keys, counts = _allowances(table, limit, compact, self.start, objects, rows, block)
        row[layout.G_ALLOW] = self.allow_key.add(keys)
        row[layout.G_ALLOW_END] = self.allow_key.size
        self.allow_count.add(counts)

    def _tracked(self, table: GroupTable, row: list[int], kept: Any, compact: Any) -> None:
        assert row[layout.G_TABLE] >= 0
        row[layout.G_DISTINCT] = self.n_counts
        self.n_counts += kept.size
        if table.least is not None:
            row[layout.G_LEAST] = self.limits.add(np.clip(table.least[kept], 0, 2**30))
        if table.needs is not None:
            edges = compact[table.needs]
            for place, (here, there) in ((layout.G_NEEDS, (0, 1)), (layout.G_NEEDED, (1, 0))):
                order = np.argsort(edges[:, here], kind="stable")
                start = self.edge_of.add(edges[order, there])
                count = np.bincount(edges[:, here], minlength=kept.size)
                row[place] = self.edge_ptr.add(np.append(0, np.cumsum(count)) + start)

    def _terms(self, table: GroupTable, row: list[int], kept: Any) -> None:
        row[layout.G_TERM] = len(self.term_meta)
        for term in table.terms:
            a, b, g = ((x if x.shape[0] == 1 else x[kept]) for x in (term.alpha, term.beta, term.gamma))
            shape = np.broadcast_shapes(a.shape, b.shape, g.shape)
            cells = np.stack([np.broadcast_to(x, shape) for x in (a, b, g)], axis=-1)
            start_at = self.params.add(cells)
            self.param_tiers.append(np.full(shape[0] * shape[1], term.tier, np.int64))
            self.term_meta.append(
                [term.kind, start_at, shape[1] if shape[0] > 1 else 0, 1 if shape[1] > 1 else 0, term.knots]
            )
        row[layout.G_TERM_END] = len(self.term_meta)


def group_tables(
    parts: Parts, blocks: dict[int, Block], start: Ints
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(tables of the layout, fields of `Model`) for all group counts."""
    space = parts.graph.space
    out = _Writer(start, space.n_containers)
    for table in parts.groups.tables:
        if table.limit is None and not table.terms and not table.tracked:
            continue
        covered = bool(np.all(np.diff(table.scope.indptr[: space.n_containers + 1]) > 0))
        everywhere = covered and not space.may_be_unassigned.any() and bool(np.all(start >= 0))
        kept = _binding(table, everywhere)
        if kept.size:
            out.table(table, blocks[id(table)], kept)
    tables = {
        "groups": longs(out.meta),
        "row_ptr": out.row_ptr.array(),
        "row_of": out.row_of.array(),
        "member_ptr": out.member_ptr.array(),
        "member": out.member.array(),
        "group_limit": out.limits.array(),
        "group_penalty": np.zeros(out.slopes.size),
        "group_term": longs(out.term_meta),
        "group_param": out.params.array(),
        "allow_key": out.allow_key.array(),
        "allow_count": out.allow_count.array(),
        "edge_ptr": out.edge_ptr.array(),
        "edge_of": out.edge_of.array(),
    }
    fields = {
        "n_counts": out.n_counts,
        "group_slope": out.slopes.array(),
        "group_param_tier": (np.concatenate(out.param_tiers) if out.param_tiers else np.empty(0, np.int64)),
    }
    return tables, fields


def _allowances(
    table: GroupTable, limit: Array, compact: Any, start: Ints, objects: Any, rows: Any, block: Block
) -> tuple[Any, Any]:
    """Cells that may hold more than the limit: those the graph allows, and those that do at the start."""
    n = block.n_items
    item = item_of_container(block.scope)[np.where(start < 0, -2, start)][objects]
    here = item < n
    keys, counts = np.unique(rows[here] * n + item[here], return_counts=True)
    plain = np.broadcast_to(limit, (limit.shape[0], n)) if limit.shape[1] == 1 else limit
    at = plain[keys // n if plain.shape[0] > 1 else 0, keys % n]
    keys, counts = keys[counts > at], counts[counts > at]
    if table.allow_keys.size:
        group, column = np.divmod(table.allow_keys, n)
        use = compact[group] >= 0
        keys = np.concatenate([keys, compact[group[use]] * n + column[use]])
        counts = np.concatenate([counts, table.allow_counts[use].astype(np.int64)])
        order = np.lexsort((-counts, keys))
        keys, counts = keys[order], counts[order]
        first = np.append(True, keys[1:] != keys[:-1]) if keys.size else np.empty(0, np.bool_)
        keys, counts = keys[first], counts[first]
    return keys, counts
