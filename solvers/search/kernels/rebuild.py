# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code="unreachable"


"""Usage tables, group counts and cached costs from scratch; who is where, as lists."""

from __future__ import annotations

from solvers.search.jit import kernel
from solvers.search.kernels.columns import apply_columns
from solvers.search.kernels.sides import breach, item_cost
from solvers.search.layout import (
    AT_ASSIGNMENT,
    AT_BLOCKS,
    AT_COST,
    AT_GROUPS,
    AT_ITEM_OF,
    AT_ROW_OF,
    AT_ROW_PTR,
    AT_UPPER,
    AT_X,
    B_COLUMNS,
    B_COST,
    B_ITEMS,
    B_X,
    BLOCK,
    FREE_COLUMNS,
    G_DISTINCT,
    G_ITEM_OF,
    G_ITEMS,
    G_ROWS_OF,
    G_TABLE,
    GROUP,
    N_CONTAINERS,
    N_OBJECTS,
)

__all__ = ["intact", "list_members", "rebuild_costs", "rebuild_groups", "rebuild_usage"]


@kernel
def rebuild_usage(H, J, F, A, V):
    """Fill the usage tables for the assignment."""
    for i in range(H[AT_X], H[AT_X + 1]):
        V[i] = 0.0
    nowhere = H[N_CONTAINERS] + 1
    for o in range(H[N_OBJECTS]):
        apply_columns(o, nowhere, A[H[AT_ASSIGNMENT] + o], H, J, F, V)


@kernel
def rebuild_costs(H, J, F, G, V):
    """Fill the cached costs from the usage."""
    nobody = H[N_OBJECTS]
    for q in range(H[AT_BLOCKS], H[AT_BLOCKS + 1], BLOCK):
        for s in range(H[q + B_ITEMS]):
            x = H[q + B_X] + s * H[q + B_COLUMNS]
            fee = breach(q, s, nobody, nobody, x, FREE_COLUMNS, H, J, F, G, V)
            V[H[AT_COST] + H[q + B_COST] + s] = fee + item_cost(q, s, nobody, nobody, H, J, F, G, V)


@kernel
def intact(H, F, V):
    """Whether no upper limit of a column is exceeded."""
    n = H[AT_X + 1] - H[AT_X]
    over = 0
    for i in range(n):
        over += V[i] > F[H[AT_UPPER] + i]
    return over == 0


@kernel
def rebuild_groups(H, J, A, C):
    """Fill the counts for the assignment."""
    for i in range(C.size):
        C[i] = 0
    for g in range(H[AT_GROUPS], H[AT_GROUPS + 1], GROUP):
        table, n = H[g + G_TABLE], H[g + G_ITEMS]
        if table < 0:
            continue
        for o in range(H[N_OBJECTS]):
            s = J[H[AT_ITEM_OF] + H[g + G_ITEM_OF] + A[H[AT_ASSIGNMENT] + o]]
            if s == n:
                continue
            place = H[AT_ROW_PTR] + H[g + G_ROWS_OF] + o
            for i in range(H[AT_ROW_OF] + H[place], H[AT_ROW_OF] + H[place + 1]):
                cell = table + J[i] * n + s
                C[cell] += 1
                if C[cell] == 1 and H[g + G_DISTINCT] >= 0:
                    C[H[g + G_DISTINCT] + J[i]] += 1


@kernel
def list_members(first, members, H, A):
    """Objects by container: those of c are ``members[first[c]:first[c + 1]]``; the last is "unassigned"."""
    for c in range(first.size):
        first[c] = 0
    for o in range(H[N_OBJECTS]):
        first[A[H[AT_ASSIGNMENT] + o] + 1] += 1
    for c in range(1, first.size):
        first[c] += first[c - 1]
    for o in range(H[N_OBJECTS] - 1, -1, -1):
        c = A[H[AT_ASSIGNMENT] + o] + 1
        first[c] -= 1
        members[first[c]] = o
    # now first[c + 1] is where c starts
    for c in range(first.size - 1):
        first[c] = first[c + 1]
    first[first.size - 1] = H[N_OBJECTS]
