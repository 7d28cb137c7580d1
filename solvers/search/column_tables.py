"""Flat tables of columns: weights, limits, the runs of their terms; and costs linear in the assignment."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.graph.cells import Array
from solvers.search import layout
from solvers.search.columns import Block, DynamicTable, Term, dense_table
from solvers.search.goals import Parts
from solvers.search.pools import Pool, longs

__all__ = ["column_tables", "dynamic_tables", "linear_tables"]

_NEVER_NEGATIVE = (
    layout.POSITIVE_PART, layout.ABSOLUTE, layout.SQUARE, layout.POWER, layout.POWER_EXCESS, layout.PRESENCE,
)  # fmt: skip


def dynamic_tables(tables: list[DynamicTable], n_objects: int) -> dict[str, Any]:
    """Weights that depend on the item."""
    meta, table = [], Pool(np.float64)
    rows = np.full((len(tables), n_objects + 1), -1, np.int32)
    base = np.zeros((len(tables), n_objects + 1))
    for k, t in enumerate(tables):
        meta.append([table.add(t.table), t.table.shape[1], t.at_home, t.away])
        rows[k, :-1], base[k, :-1] = t.rows, t.base
    return {
        "dynamic": longs(meta),
        "dyn_row": rows.reshape(-1),
        "dyn_base": base.reshape(-1),
        "dyn_table": table.array(),
    }


def _runs(terms: list[Term], place: dict[int, int], split: int, first: int) -> list[list[Term]]:
    """Terms of one function on neighbouring columns of one class, as few runs as it takes."""
    runs: list[list[Term]] = []

    def kind(term: Term) -> tuple[int, int, int]:
        at = place[term.column]
        return (
            term.kind,
            term.knots,
            layout.UNIFORM if at < split else layout.SPLIT if at < first else layout.BY_ITEM,
        )

    for term in sorted(terms, key=lambda t: (*kind(t), place[t.column])):
        for run in runs:
            if kind(run[0]) == kind(term) and place[run[-1].column] + 1 == place[term.column]:
                run.append(term)
                break
        else:
            runs.append([term])
    return runs


class _Blocks:
    """The pools of all blocks."""

    def __init__(self) -> None:
        self.meta: list[list[int]] = []
        self.runs: list[list[int]] = []
        self.weights, self.home_w, self.params = Pool(np.float64), Pool(np.float64), Pool(np.float64)
        self.upper, self.lower, self.slopes = Pool(np.float64), Pool(np.float64), Pool(np.float64)
        self.gamma_tier: list[tuple[int, int, Any]] = []
        self.cost = self.widest = 0

    def add(self, block: Block, n_objects: int, m: int, dynamic: list[DynamicTable]) -> None:
        order = sorted(range(len(block.columns)), key=lambda j: block.columns[j].rank)
        ranks = [block.columns[j].rank for j in order]
        d, split, first = len(order), ranks.count(0), ranks.count(0) + ranks.count(1)
        w = np.zeros((n_objects + 1, d))
        hw = np.zeros((n_objects + 1, first - split))
        row = [0] * layout.BLOCK
        row[layout.B_FIRST_DYNAMIC] = len(dynamic)
        for k, j in enumerate(order):
            column = block.columns[j]
            if column.table is not None:
                dynamic.append(column.table)
                continue
            w[:-1, k] = column.away
            if k >= split:
                hw[:-1, k - split] = column.home
        if d == 0:
            return  # only its map from containers to items is used
        n = block.n_items
        row[layout.B_ITEMS], row[layout.B_COLUMNS] = n, d
        row[layout.B_SPLIT], row[layout.B_DYNAMIC] = split, first
        row[layout.B_X] = self.upper.size
        row[layout.B_W], row[layout.B_HOME_W] = self.weights.add(w), self.home_w.add(hw)
        row[layout.B_ITEM_OF], row[layout.B_HOME] = block.index * (m + 2), block.index * (n_objects + 1)
        row[layout.B_COST], row[layout.B_PENALTY] = self.cost, self.slopes.size
        self.cost += n + 1
        self.widest = max(self.widest, d)
        high, low = np.full((n + 1, d), np.inf), np.full((n + 1, d), -np.inf)
        for k, j in enumerate(order):
            high[:-1, k], low[:-1, k] = block.upper[j], block.lower[j]
        row[layout.B_LOWER] = int(np.isfinite(low).any())
        self.upper.add(high)
        self.lower.add(low)
        self.slopes.add([block.slope[j] for j in order])
        self._terms(block, row, {j: k for k, j in enumerate(order)}, split, first)
        self.meta.append(row)

    def _terms(self, block: Block, row: list[int], place: dict[int, int], split: int, first: int) -> None:
        n, width = block.n_items, 3 * len(block.terms)
        table, tier = np.zeros((n + 1, width)), np.full(width, -1, np.int64)
        row[layout.B_RUN] = len(self.runs) * layout.RUN
        row[layout.B_PARAM], row[layout.B_WIDTH] = self.params.size, width
        at = 0
        for run in _runs(block.terms, place, split, first):
            k = place[run[0].column]
            group = layout.UNIFORM if k < split else layout.SPLIT if k < first else layout.BY_ITEM
            self.runs.append([run[0].kind, k, len(run), at, run[0].knots, group])
            for i, term in enumerate(run):
                for part, values in enumerate((term.alpha, term.beta, term.gamma)):
                    table[:-1, at + part * len(run) + i] = values
                tier[at + 2 * len(run) + i] = term.tier
            at += 3 * len(run)
        row[layout.B_RUN_END] = len(self.runs) * layout.RUN
        row[layout.B_NONNEGATIVE] = int(
            all(t.kind in _NEVER_NEGATIVE and np.all(t.gamma >= 0) for t in block.terms)
        )
        self.gamma_tier.append((self.params.add(table), n + 1, tier))


def column_tables(
    parts: Parts, dynamic: list[DynamicTable]
) -> tuple[dict[str, Any], dict[str, Any], int, int]:
    """(tables of the layout, fields of `Model`, number of cached costs, columns of the widest block)."""
    out = _Blocks()
    for block in parts.blocks.blocks:
        out.add(block, parts.graph.space.n_objects, parts.graph.space.n_containers, dynamic)
    tables = {
        "blocks": longs(out.meta),
        "runs": longs(out.runs),
        "W": out.weights.array(),
        "home_w": out.home_w.array(),
        "upper": out.upper.array(),
        "lower": out.lower.array(),
        "params": out.params.array(),
        "penalty": np.zeros(out.slopes.size),
    }
    fields = {"gamma_tier": tuple(out.gamma_tier), "slope": out.slopes.array()}
    return tables, fields, out.cost, out.widest


def linear_tables(parts: Parts, dynamic: list[DynamicTable]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(tables of the layout, fields of `Model`) of costs that are linear in the assignment."""
    n_objects, m = parts.graph.space.n_objects, parts.graph.space.n_containers
    meta, weights, gammas = [], Pool(np.float64), Pool(np.float64)
    tiers: list[Array] = []
    for cost in parts.linear:
        row = [cost.block.index * (m + 2), cost.block.index * (n_objects + 1), layout.LIN_UNIFORM, 0, 0, 0]
        if cost.usage is not None:
            row[layout.L_KIND], row[layout.L_DYNAMIC] = layout.LIN_DYNAMIC, len(dynamic)
            dynamic.append(dense_table(cost.usage.weights, cost.usage.counted))  # type: ignore[arg-type]
        elif np.array_equal(cost.away, cost.home):
            row[layout.L_WEIGHT] = weights.add(np.append(cost.away, 0.0))
        else:
            row[layout.L_KIND] = layout.LIN_SPLIT
            row[layout.L_WEIGHT] = weights.add(np.concatenate([cost.away, [0.0], cost.home, [0.0]]))
        row[layout.L_GAMMA] = gammas.add(np.append(cost.gamma, 0.0))
        tiers.append(np.full(cost.gamma.size + 1, cost.tier, np.int64))
        meta.append(row)
    tables = {"linear": longs(meta), "lin_w": weights.array(), "lin_gamma": gammas.array()}
    return tables, {"linear_tier": np.concatenate(tiers) if tiers else np.empty(0, np.int64)}
