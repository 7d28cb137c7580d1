# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"

"""Usage tables, group counts and cached costs from scratch."""

from __future__ import annotations

from solvers.search.jit import kernel
from solvers.search.kernels.sides import apply_columns, side
from solvers.search.layout import (
    B_COST,
    B_ITEMS,
    BLOCK,
    G_ITEM_OF,
    G_ITEMS,
    G_ROWS_OF,
    G_TABLE,
    GROUP,
)

__all__ = ["rebuild_costs", "rebuild_groups", "rebuild_usage"]


@kernel
def rebuild_usage(
    n_objects, assignment, blocks, X, W, home_w, item_of, home, dynamic, dyn_row, dyn_base, dyn_table, nowhere
):
    """Fill `X` for `assignment`; `nowhere` is a container in no item at all."""
    X[:] = 0.0
    for o in range(n_objects):
        apply_columns(
            o, nowhere, assignment[o], n_objects, blocks, X, W, home_w, item_of, home,
            dynamic, dyn_row, dyn_base, dyn_table,
        )  # fmt: skip


@kernel
def rebuild_costs(
    n_objects, xs, blocks, X, W, home_w, home, upper, lower, penalty, terms, params, knots, cost,
    dynamic, dyn_row, dyn_base, dyn_table,
):  # fmt: skip
    """Fill `cost` from `X`; returns the sum."""
    total = 0.0
    for q in range(0, blocks.size, BLOCK):
        for s in range(blocks[q + B_ITEMS]):
            found = side(
                q, s, n_objects, n_objects, n_objects, True, xs, blocks, X, W, home_w, home, upper, lower,
                penalty,
                terms, params, knots, dynamic, dyn_row, dyn_base, dyn_table,
            )  # fmt: skip
            cost[blocks[q + B_COST] + s] = found
            total += found
    return total


@kernel
def rebuild_groups(n_objects, assignment, groups, group_count, item_of, row_ptr, row_of):
    """Fill `group_count` for `assignment`."""
    group_count[:] = 0
    for g in range(0, groups.size, GROUP):
        table = groups[g + G_TABLE]
        if table < 0:
            continue
        n = groups[g + G_ITEMS]
        for o in range(n_objects):
            s = item_of[groups[g + G_ITEM_OF] + assignment[o]]
            if s < n:
                place = groups[g + G_ROWS_OF] + o
                for i in range(row_ptr[place], row_ptr[place + 1]):
                    group_count[table + row_of[i] * n + s] += 1
