"""From an expression graph to the flat arrays of a `Model`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from models.graph import Evaluator, Graph
from models.graph.cells import Array, as_dense
from models.graph.space import Ints
from solvers.search import layout
from solvers.search.columns import Block, DynamicTable, dense_table
from solvers.search.goals import Parts, take_apart
from solvers.search.grouped import GroupTable
from solvers.search.model import Model
from solvers.search.pools import Pool
from solvers.search.remainder import Remainder, flatten_remainder

__all__ = ["flatten", "node_values", "relaxed"]

TABLE_LIMIT = 200_000_000
"""Largest number of group × item counts held in a table; above it counts go through the members."""


def relaxed(graph: Graph) -> Graph:
    """`graph` with every object allowed to be unassigned, so that any start can be evaluated."""
    anywhere = np.ones(graph.space.n_objects, np.bool_)
    return replace(graph, space=replace(graph.space, may_be_unassigned=anywhere))


class _Tables:
    """Pools that several parts write to."""

    def __init__(self, n_objects: int) -> None:
        self.n_objects = n_objects
        self.dynamic: list[DynamicTable] = []

    def dynamic_arrays(self) -> tuple[Any, Any, Any, Any]:
        meta, table = [], Pool(np.float64)
        rows = np.full((len(self.dynamic), self.n_objects + 1), -1, np.int32)
        base = np.zeros((len(self.dynamic), self.n_objects + 1))
        for k, t in enumerate(self.dynamic):
            meta.append([table.add(t.table), t.table.shape[1], t.at_home, t.away])
            rows[k, :-1], base[k, :-1] = t.rows, t.base
        return _longs(meta), rows.reshape(-1), base.reshape(-1), table.array()


def _longs(rows: list[list[int]]) -> Any:
    return np.asarray(rows, np.int64).reshape(-1)


def _item_of(block: Block) -> Any:
    """int32[n_containers + 2]; the last two: unassigned, and in no item of any scope."""
    single = np.append(block.scope.single, np.int32(-1))
    return np.where(single < 0, block.n_items, single).astype(np.int32)


def flatten(graph: Graph, start: Ints) -> Model:
    """Flatten `graph`. What `start` breaks already may stay broken, at a price (see `Model.weighted`)."""
    space = graph.space
    n, m = space.n_objects, space.n_containers
    start_values = Evaluator(relaxed(graph), start)
    parts = take_apart(graph, start_values)
    _forbid_unassigned(parts)
    group_blocks = {id(t): parts.blocks.block(t.leaf.scope) for t in parts.groups.tables}
    tables = _Tables(n)
    columns = _columns(parts, tables)
    linear = _linear(parts, tables)
    groups = _groups(parts, group_blocks, start, m)
    rest = flatten_remainder(parts, tables.dynamic)
    dynamic, dyn_row, dyn_base, dyn_table = tables.dynamic_arrays()
    item_of = Pool(np.int32)
    home = Pool(np.int32)
    initial = np.append(np.where(space.initial < 0, m, space.initial), -2).astype(np.int32)
    for block in parts.blocks.blocks:
        item = _item_of(block)
        item_of.add(item)
        home.add(np.append(item[initial[:-1]], -2))
    moves = {t: np.append(w, 0.0) for t, w in parts.moves.items()}
    return Model(
        graph=graph,
        n_objects=n,
        n_containers=m,
        n_tiers=len(graph.tiers),
        initial=initial,
        may_leave=np.ascontiguousarray(space.may_be_unassigned),
        movable=np.arange(n, dtype=np.int32),
        item_of=item_of.array(),
        home=home.array(),
        knots=_padded(parts.knots.array()),
        dynamic=dynamic,
        dyn_row=dyn_row,
        dyn_base=dyn_base,
        dyn_table=dyn_table,
        move_w=moves,
        offsets=parts.offsets,
        **columns,
        **linear,
        **groups,
        **_rest(rest),
    )


def _padded(values: Any) -> Any:
    """Never empty, so that kernels may form addresses of unused parts."""
    return values if values.size else np.zeros(1, values.dtype)


def _forbid_unassigned(parts: Parts) -> None:
    """Objects that are in no container and must be in one: a linear cost of the violation tier (index −1)."""
    from models.graph.space import Scope
    from solvers.search.goals import LinearCost

    space = parts.graph.space
    if np.all(space.may_be_unassigned):
        return
    scope = Scope.places(space.containers)
    block = parts.blocks.block(scope)
    gamma = np.zeros(space.n_containers + 1)
    gamma[-1] = 1.0
    w = np.where(space.may_be_unassigned, 0.0, 1.0)
    if np.any(parts.start.assignment[~space.may_be_unassigned] < 0):
        parts.linear.append(LinearCost(block, None, w, w, gamma, -1))


def _columns(parts: Parts, tables: _Tables) -> dict[str, Any]:
    n_objects, m = parts.graph.space.n_objects, parts.graph.space.n_containers
    meta: list[list[int]] = []
    terms: list[list[int]] = []
    tiers: list[int] = []
    weights, home_w, params = Pool(np.float64), Pool(np.float64), Pool(np.float64)
    upper, lower, slopes = Pool(np.float64), Pool(np.float64), Pool(np.float64)
    cost = 0
    for i, block in enumerate(parts.blocks.blocks):
        order = sorted(range(len(block.columns)), key=lambda j, b=block: b.columns[j].rank)  # type: ignore[misc]
        place = {j: k for k, j in enumerate(order)}
        ranks = [block.columns[j].rank for j in order]
        d, split, first = len(order), ranks.count(0), ranks.count(0) + ranks.count(1)
        w = np.zeros((n_objects + 1, d))
        hw = np.zeros((n_objects + 1, first - split))
        row = [0] * layout.BLOCK
        row[layout.B_FIRST_DYNAMIC] = len(tables.dynamic)
        for k, j in enumerate(order):
            column = block.columns[j]
            if column.table is not None:
                tables.dynamic.append(column.table)
                continue
            w[:-1, k] = column.away
            if k >= split:
                hw[:-1, k - split] = column.home
        if d == 0:
            continue  # only its map from containers to items is used
        n = block.n_items
        row[layout.B_ITEMS], row[layout.B_COLUMNS] = n, d
        row[layout.B_SPLIT], row[layout.B_DYNAMIC] = split, first
        row[layout.B_X] = upper.size
        row[layout.B_W], row[layout.B_HOME_W] = weights.add(w), home_w.add(hw)
        row[layout.B_TERM] = len(tiers)
        row[layout.B_PARAM] = params.size
        row[layout.B_ITEM_OF], row[layout.B_HOME] = i * (m + 2), i * (n_objects + 1)
        row[layout.B_COST], row[layout.B_PENALTY] = cost, slopes.size
        cost += n + 1
        limits_high, limits_low = np.full((n + 1, d), np.inf), np.full((n + 1, d), -np.inf)
        for k, j in enumerate(order):
            limits_high[:-1, k], limits_low[:-1, k] = block.upper[j], block.lower[j]
        upper.add(limits_high)
        lower.add(limits_low)
        slopes.add([block.slope[j] for j in order])
        table = np.zeros((n + 1, len(block.terms), 3))
        nonnegative = True
        for t, term in enumerate(block.terms):
            terms.append([place[term.column], term.kind, term.knots])
            tiers.append(term.tier)
            table[:-1, t] = np.column_stack([term.alpha, term.beta, term.gamma])
            positive = term.kind in (
                layout.POSITIVE_PART,
                layout.ABSOLUTE,
                layout.SQUARE,
                layout.POWER,
                layout.POWER_EXCESS,
                layout.PRESENCE,
            )
            nonnegative = nonnegative and positive and bool(np.all(term.gamma >= 0))
        params.add(table)
        row[layout.B_TERM_END], row[layout.B_NONNEGATIVE] = len(tiers), int(nonnegative)
        meta.append(row)
    return {
        "blocks": _longs(meta),
        "W": weights.array(),
        "home_w": home_w.array(),
        "upper": upper.array(),
        "lower": lower.array(),
        "slope": slopes.array(),
        "terms": _longs(terms),
        "params": params.array(),
        "term_tier": np.asarray(tiers, np.int64),
        "widest": max((len(b.columns) for b in parts.blocks.blocks), default=0),
        "n_costs": cost,
    }


def _linear(parts: Parts, tables: _Tables) -> dict[str, Any]:
    n_objects, m = parts.graph.space.n_objects, parts.graph.space.n_containers
    meta, weights, gammas = [], Pool(np.float64), Pool(np.float64)
    tiers: list[Array] = []
    for cost in parts.linear:
        row = [cost.block.index * (m + 2), cost.block.index * (n_objects + 1), layout.LIN_UNIFORM, 0, 0, 0]
        if cost.usage is not None:
            row[layout.L_KIND], row[layout.L_DYNAMIC] = layout.LIN_DYNAMIC, len(tables.dynamic)
            tables.dynamic.append(dense_table(cost.usage.weights, cost.usage.counted))  # type: ignore[arg-type]
        elif np.array_equal(cost.away, cost.home):
            row[layout.L_WEIGHT] = weights.add(np.append(cost.away, 0.0))
        else:
            row[layout.L_KIND] = layout.LIN_SPLIT
            row[layout.L_WEIGHT] = weights.add(np.concatenate([cost.away, [0.0], cost.home, [0.0]]))
        row[layout.L_GAMMA] = gammas.add(np.append(cost.gamma, 0.0))
        tiers.append(np.full(cost.gamma.size + 1, cost.tier, np.int64))
        meta.append(row)
    return {
        "linear": _longs(meta),
        "lin_w": weights.array(),
        "lin_gamma": gammas.array(),
        "linear_tier": np.concatenate(tiers) if tiers else np.empty(0, np.int64),
    }


def _binding(table: GroupTable) -> Any:
    """Groups whose counts can cost or break anything."""
    sizes = table.leaf.partition.group_sizes
    shape = (sizes.size, table.leaf.scope.items.size)
    binding = np.zeros(sizes.size, np.bool_)
    if table.limit is not None:
        least = np.broadcast_to(table.limit, (table.limit.shape[0], shape[1])).min(axis=1, initial=np.inf)
        binding |= sizes > least
    for term in table.terms:
        if term.kind == layout.POSITIVE_PART and np.all(term.alpha >= 0):
            most = sizes[:, None] * term.alpha + term.beta
            binding |= np.broadcast_to(most.max(axis=1) > 0, sizes.shape)
        else:
            binding |= sizes > 0
    return np.flatnonzero(binding)


def _groups(parts: Parts, blocks: dict[int, Block], start: Ints, m: int) -> dict[str, Any]:
    meta: list[list[int]] = []
    row_ptr, row_of = Pool(np.int64), Pool(np.int32)
    member_ptr, member = Pool(np.int64), Pool(np.int32)
    limits, slopes, params = Pool(np.int32), Pool(np.float64), Pool(np.float64)
    term_meta: list[list[int]] = []
    param_tiers: list[Any] = []
    allow_key, allow_count = Pool(np.int64), Pool(np.int32)
    n_counts = 0
    for table in parts.groups.tables:
        kept = _binding(table)
        if kept.size == 0 or (table.limit is None and not table.terms):
            continue
        partition, block = table.leaf.partition, blocks[id(table)]
        n = block.n_items
        compact = np.full(partition.groups.size, -1, np.int64)
        compact[kept] = np.arange(kept.size)
        objects, group = partition.expand(np.arange(partition.indptr.size - 1))
        inside = compact[group] >= 0
        objects, rows = objects[inside], compact[group[inside]]
        row = [0] * layout.GROUP
        row[layout.G_ITEM_OF], row[layout.G_ITEMS] = block.index * (m + 2), n
        row[layout.G_TABLE] = -1
        if kept.size * n <= TABLE_LIMIT:
            row[layout.G_TABLE] = n_counts
            n_counts += kept.size * n
        first = row_of.add(rows)
        count = np.bincount(objects, minlength=partition.indptr.size - 1)
        row[layout.G_ROWS_OF] = row_ptr.add(np.append(0, np.cumsum(count)) + first)
        order = np.argsort(rows, kind="stable")
        first = member.add(objects[order])
        row[layout.G_MEMBERS] = member_ptr.add(
            np.append(0, np.cumsum(np.bincount(rows, minlength=kept.size))) + first
        )
        row[layout.G_ROWS], row[layout.G_PENALTY] = kept.size, slopes.add([table.slope])
        row[layout.G_LIMIT] = -1
        if table.limit is not None:
            limit = table.limit if table.limit.shape[0] == 1 else table.limit[kept]
            row[layout.G_LIMIT] = limits.add(np.clip(limit, -1, 2**30))
            row[layout.G_LIMIT_ROW] = limit.shape[1] if limit.shape[0] > 1 else 0
            row[layout.G_LIMIT_COLUMN] = 1 if limit.shape[1] > 1 else 0
            keys, counts = _allowances(table, limit, compact, start, objects, rows, block, n)
            row[layout.G_ALLOW] = allow_key.add(keys)
            row[layout.G_ALLOW_END] = allow_key.size
            allow_count.add(counts)
        row[layout.G_TERM] = len(term_meta)
        for term in table.terms:
            a, b, g = ((x if x.shape[0] == 1 else x[kept]) for x in (term.alpha, term.beta, term.gamma))
            shape = np.broadcast_shapes(a.shape, b.shape, g.shape)
            cells = np.stack([np.broadcast_to(x, shape) for x in (a, b, g)], axis=-1)
            start_at = params.add(cells)
            param_tiers.append(np.full(shape[0] * shape[1], term.tier, np.int64))
            term_meta.append(
                [term.kind, start_at, shape[1] if shape[0] > 1 else 0, 1 if shape[1] > 1 else 0, term.knots]
            )
        row[layout.G_TERM_END] = len(term_meta)
        meta.append(row)
    return {
        "groups": _longs(meta),
        "n_counts": n_counts,
        "row_ptr": row_ptr.array(),
        "row_of": row_of.array(),
        "member_ptr": member_ptr.array(),
        "member": member.array(),
        "group_limit": limits.array(),
        "group_slope": slopes.array(),
        "group_term": _longs(term_meta),
        "group_param": params.array(),
        "group_param_tier": np.concatenate(param_tiers) if param_tiers else np.empty(0, np.int64),
        "allow_key": allow_key.array(),
        "allow_count": allow_count.array(),
    }


def _allowances(
    table: GroupTable, limit: Array, compact: Any, start: Ints, objects: Any, rows: Any, block: Block, n: int
) -> tuple[Any, Any]:
    """Cells that may hold more than the limit: those the graph allows, and those that do at the start."""
    item = _item_of(block)[np.where(start < 0, -2, start)][objects]
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


def _rest(rest: Remainder) -> dict[str, Any]:
    return {
        "leaves": _longs(rest.leaves),
        "nodes": np.ascontiguousarray(rest.nodes.reshape(-1)),
        "node_ids": tuple(rest.node_ids),
        "pointers": rest.pointers.array(),
        "targets": rest.targets.array(),
        "leaf_w": rest.leaf_w.array(),
        "pairs": rest.pairs.array(),
        "pair_rate": rest.pair_rate.array(),
        "distance": rest.distance.array(),
        "children": _longs(rest.children),
        "parents": _longs(rest.parents),
        "pool": rest.pool.array(),
        "goal_w": rest.goal_w,
        "n_goal": rest.n_goal,
        "allowance": rest.allowance.array(),
        "node_slope": np.ones(rest.allowance.size),
    }


def node_values(model: Model, assignment: Ints) -> Array:
    """float64[n_values]: elements of all remaining nodes, by the reference evaluation."""
    if not model.node_ids:
        return np.zeros(0)
    evaluator = Evaluator(relaxed(model.graph), assignment)
    return np.concatenate([as_dense(evaluator.value(model.graph.nodes[i])) for i in model.node_ids])
