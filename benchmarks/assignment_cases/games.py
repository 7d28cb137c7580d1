"""Puzzles with known answers, as assignment problems."""

from __future__ import annotations

import numpy as np

from specs import (
    HARD,
    AvoidAssignments,
    AvoidMoving,
    Capacity,
    Constraint,
    Entities,
    GroupCount,
    MinimizeContainers,
    Problem,
)

__all__ = ["eight_queens", "sudoku", "vertex_cover"]

_GIVEN = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
"""The puzzle of the Wikipedia article on sudoku; it has one solution."""


def sudoku(seed: int, size: tuple[int, ...]) -> Problem:
    """Cells to digits: every row, column and box holds every digit once."""
    del seed, size
    cell = np.arange(81)
    row, column = cell // 9, cell % 9
    start = np.array([-1 if x == "." else int(x) - 1 for x in _GIVEN], np.int32)
    given = tuple(f"cell{i}" for i in np.flatnonzero(start >= 0))
    return Problem(
        objects=Entities(name="cell", count=81),
        containers=Entities(name="digit", ids=[str(d) for d in range(1, 10)]),
        assignment=start,
        may_be_unassigned=False,
        partitions={"row": row, "column": column, "box": 3 * (row // 3) + column // 3},
        constraints=[
            *(
                Constraint(GroupCount(scope="digit", partition=p, bound="exact"), HARD, p)
                for p in ("row", "column", "box")
            ),
            Constraint(AvoidMoving(objects=given), HARD),
        ],
    )


def eight_queens(seed: int, size: tuple[int, ...]) -> Problem:
    """Queens to squares: no two in a row, a column or a diagonal."""
    del seed
    n = size[0] if size else 8
    square = np.arange(n * n)
    row, column = square // n, square % n
    lines = {"row": row, "column": column, "diagonal": row + column, "antidiagonal": row - column + n - 1}
    return Problem(
        objects=Entities(name="queen", count=n),
        containers=Entities(name="square", count=n * n),
        may_be_unassigned=False,
        scopes=lines,
        constraints=[Constraint(Capacity(scope=x, dimension="count", limit=1), HARD, x) for x in lines],
    )


def vertex_cover(seed: int, size: tuple[int, ...]) -> Problem:
    """Edges to one of their ends, with as few ends in use as possible: the Petersen graph needs 6 of 10."""
    del seed, size
    outer = [(i, (i + 1) % 5) for i in range(5)]
    inner = [(5 + i, 5 + (i + 2) % 5) for i in range(5)]
    edges = [*outer, *inner, *((i, i + 5) for i in range(5))]
    ends = {f"edge{k}": (f"vertex{a}", f"vertex{b}") for k, (a, b) in enumerate(edges)}
    return Problem(
        objects=Entities(name="edge", count=len(edges)),
        containers=Entities(name="vertex", count=10),
        may_be_unassigned=False,
        constraints=[Constraint(AvoidAssignments(scope="vertex", assignments=ends, meaning="only"), HARD)],
        goals=[MinimizeContainers(scope="vertex")],
    )
