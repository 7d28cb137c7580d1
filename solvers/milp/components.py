"""Models that fall apart into independent ones, perhaps but for a single column that links them.

Branch and bound over k independent parts multiplies their trees; solved one by one they add up. Backends do
not look for this. A linking column y (say, the largest count over all groups) is branched on: on each
interval of y every part gets a copy of y of its own, which gives a lower bound, and intervals whose copies
disagree are split.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from models.graph.cells import Array
from solvers.milp.activity import lattice
from solvers.milp.backend import Outcome, Task
from solvers.milp.linear import Indices, Linear
from solvers.milp.model import MilpModel
from solvers.steps import lifted_bound

__all__ = ["Parts", "find_parts", "solve_parts"]

CANDIDATES = 3
"""So many of the columns with the most rows are tried as what links everything."""
LARGEST = 0.7
"""Parts are worth it when none has more than this share of the entries."""
SHARED = 0.1
"""So many of the rows with the linking column may lie between parts: those are relaxed."""
FIRST_LOOK = 0.5
"""Share of the time for a first look at every part."""
MOST_INTERVALS = 60
"""Intervals of a linking column looked at."""


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """``columns``, ``rows``: int64 indices by part; ``link``: the column that all parts share, or None.

    Rows with the linking column belong to every part they have entries in.
    """

    columns: tuple[Indices, ...]
    rows: tuple[Indices, ...]
    link: int | None


def find_parts(model: MilpModel) -> Parts | None:
    """The independent parts of `model`; None when it does not fall apart."""
    if not model.matrix.nnz:
        return None
    degree = np.bincount(model.matrix.indices, minlength=model.n_columns)
    made = model.integer & (model.owner >= 0)  # whole numbers that are no part of the decision itself
    dense = np.flatnonzero((degree > 1) & made)
    candidates = dense[np.argsort(-degree[dense], kind="stable")][:CANDIDATES].tolist()
    for link in [None, *candidates]:
        found = _parts(model, link)
        if found is not None:
            return found
    return None


def _parts(model: MilpModel, link: int | None) -> Parts | None:
    matrix = model.matrix
    column, row = matrix.indices, np.repeat(np.arange(model.n_rows), np.diff(matrix.indptr))
    linking = np.zeros(model.n_rows, np.bool_)
    if link is not None:
        linking[row[column == link]] = True
    kept = ~linking[row]
    n = model.n_columns + model.n_rows
    edges = (column[kept], row[kept] + model.n_columns)
    graph = sparse.coo_array((np.ones(int(kept.sum())), edges), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    label = label.astype(np.int64)
    label[model.n_columns :][linking] = -1
    if link is not None:
        label[link] = -1
    weight = np.bincount(label[column[kept]], minlength=int(label.max()) + 1)
    if weight.max(initial=0) > LARGEST * weight.sum():
        return None
    # what has entries in no row of its own goes along with the first part
    place = np.zeros(weight.size + 1, np.int64)
    large = np.flatnonzero(weight)
    place[large] = np.arange(large.size)
    of_column = np.where(label[: model.n_columns] >= 0, place[label[: model.n_columns]], -1)
    of_row = np.where(linking, -1, place[label[model.n_columns :]])
    columns = tuple(np.flatnonzero(of_column == k) for k in range(large.size))
    rows = []
    for k in range(large.size):
        shared = np.unique(row[linking[row] & (of_column[column] == k)])
        rows.append(np.concatenate([np.flatnonzero(of_row == k), shared]))
    between = sum(r.size for r in rows) - (model.n_rows - int(linking.sum())) - int(linking.sum())
    return None if between > SHARED * linking.sum() else Parts(columns, tuple(rows), link)


@dataclass(slots=True)
class _Part:
    """One part: what is known about it."""

    task: Task
    bound: float = field(init=False)
    x: Array | None = None
    finished: bool = False

    def __post_init__(self) -> None:
        self.bound = _floor(self.task)

    def solve(self, solve: Callable[[Task], Outcome], limit_s: float | None) -> Outcome:
        """Solve it, from the best solution known."""
        task = replace(self.task, time_limit_s=limit_s, start=self.task.start if self.x is None else self.x)
        outcome = solve(task)
        if outcome.bound is not None:
            self.bound = max(self.bound, lifted_bound(outcome.bound, _step(task)))
        self.x = outcome.x if outcome.x is not None else self.x
        self.finished = outcome.finished
        return outcome

    def reuse(self, other: _Part) -> None:
        """Take over what was found with a wider interval of the last column, which has no cost."""
        self.bound = max(self.bound, other.bound)
        if other.x is None:
            return
        m, x = self.task.model, other.x.copy()
        x[-1] = min(max(x[-1], m.lower[-1]), m.upper[-1])
        if _holds(m, x):
            self.x, self.finished = x, other.finished


@dataclass(slots=True)
class _Answer:
    bound: float
    x: Array | None
    finished: bool
    parts: list[_Part]


def solve_parts(
    solve: Callable[[Task], Outcome],
    task: Task,
    parts: Parts,
    cutoff: float,
    remaining_s: Callable[[], float | None],
) -> Outcome:
    """Minimise `task` part by part.

    Parameters
    ----------
    solve
        One part with the backend.
    cutoff
        Intervals of the linking column that cannot have less need no further look.
    remaining_s
        Time left, None: no limit.
    """
    run = _Run(solve, task, parts, remaining_s)
    link = parts.link
    whole = (0.0, 0.0)
    if link is not None:
        whole = float(task.model.lower[link]), float(task.model.upper[link])
    queue: list[tuple[float, int, tuple[float, float], _Answer]] = []
    best: Array | None = None
    value = np.inf
    pending, known = [whole], list[_Part]()
    order = itertools.count()
    for _ in range(MOST_INTERVALS):
        for interval in pending:
            answer = run.interval(*interval, known)
            if answer is None:
                continue  # nothing is possible there
            if answer.x is not None:
                cost = float(task.cost @ answer.x) + task.offset
                if cost < value:
                    best, value = answer.x, cost
            heapq.heappush(queue, (answer.bound, next(order), interval, answer))
        if not queue:
            return Outcome(x=None, bound=None, infeasible=True, finished=True, statistics=run.statistics)
        bound, _, interval, answer = queue[0]
        goal = min(value, cutoff)
        close = max(task.absolute_gap, task.gap * abs(goal), 1e-9)
        if bound >= goal - close or not answer.finished or link is None or run.stopped:
            done = bound >= goal - close and best is not None
            return Outcome(x=best, bound=bound, infeasible=False, finished=done, statistics=run.statistics)
        pending = _split(interval)
        if not pending:
            break
        heapq.heappop(queue)
        known = answer.parts
    bound = min((item[0] for item in queue), default=-np.inf)
    return Outcome(x=best, bound=bound, infeasible=False, finished=False, statistics=run.statistics)


def _split(interval: tuple[float, float]) -> list[tuple[float, float]]:
    """The least value alone and the rest; nothing when there is one value only."""
    low, high = interval
    return [(low, low), (low + 1.0, high)] if high >= low + 1.0 else []


class _Run:
    def __init__(
        self,
        solve: Callable[[Task], Outcome],
        task: Task,
        parts: Parts,
        remaining_s: Callable[[], float | None],
    ) -> None:
        self.solve = solve
        self.task = task
        self.parts = parts
        self.remaining_s = remaining_s
        self.stopped = False
        self.statistics: dict[str, float] = {"parts": float(len(parts.columns))}

    def interval(self, low: float, high: float, known: Sequence[_Part]) -> _Answer | None:
        """Every part by itself with the linking column in ``[low, high]``; None when that is impossible.

        `known`: the parts solved for a larger interval, or nothing.
        """
        task, link = self.task, self.parts.link
        made = [
            _Part(self._task(columns, rows, (low, high)))
            for columns, rows in zip(self.parts.columns, self.parts.rows, strict=True)
        ]
        for part, before in zip(made, known, strict=False):
            part.reuse(before)
        # a short look at all parts, then what is left of the time for the hard ones
        for share in (FIRST_LOOK, 1.0):
            todo = [part for part in made if not part.finished]
            for waiting, part in zip(range(len(todo), 0, -1), todo, strict=True):
                if self.stopped:
                    break
                outcome = part.solve(self.solve, self._limit(share / waiting))
                for name, number in outcome.statistics.items():
                    self.statistics[name] = self.statistics.get(name, 0.0) + number
                if outcome.infeasible:
                    return None
                self.stopped = task.on_progress(None, None)
        bound, x = task.offset + sum(part.bound for part in made), np.zeros(task.model.n_columns)
        if link is not None:
            bound += float(min(task.cost[link] * low, task.cost[link] * high))
        found = all(part.x is not None for part in made)
        for columns, part in zip(self.parts.columns, made, strict=True):
            if part.x is not None:
                x[columns] = part.x[: columns.size]
        if link is not None:
            x[link] = self._link_value(x, low)
        finished = all(part.finished for part in made)
        return _Answer(bound, x if found and self._holds(x) else None, finished, made)

    def _link_value(self, x: Array, least: float) -> float:
        """The least value of the linking column that the rows allow beside the other columns of `x`."""
        m, link = self.task.model, self.parts.link
        assert link is not None
        of_link = np.zeros(m.n_rows)
        entries = np.flatnonzero(m.matrix.indices == link)
        of_link[np.searchsorted(m.matrix.indptr, entries, side="right") - 1] = m.matrix.data[entries]
        x[link] = 0.0
        value = m.matrix @ x
        down, up = of_link < 0, of_link > 0
        wanted = [
            (value[down] - m.row_upper[down]) / -of_link[down],
            (m.row_lower[up] - value[up]) / of_link[up],
        ]
        needed = max([least, *(float(w.max()) for w in wanted if w.size)])
        return float(np.ceil(needed - 1e-6)) + 0.0

    def _holds(self, x: Array) -> bool:
        """Whether the parts' solutions fit together."""
        return _holds(self.task.model, x)

    def _task(self, columns: Indices, rows: Indices, interval: tuple[float, float]) -> Task:
        m, link, start = self.task.model, self.parts.link, self.task.start
        chosen = columns if link is None else np.append(columns, link)
        lower, upper, cost = m.lower[chosen], m.upper[chosen], self.task.cost[chosen]
        if link is not None:
            (lower[-1], upper[-1]), cost[-1] = interval, 0.0  # its cost is counted once, with the interval
        whole = m.matrix[rows]
        mine = np.zeros(m.n_columns, np.bool_)
        mine[chosen] = True
        least, most = _reach(whole, np.where(mine, 0.0, m.lower), np.where(mine, 0.0, m.upper))
        model = MilpModel(
            lower,
            upper,
            m.integer[chosen],
            m.grain[chosen],
            m.owner[chosen],
            sparse.csr_array(whole[:, chosen]),
            m.row_lower[rows] - most,  # in rows that parts share, the others do all they can
            m.row_upper[rows] - least,
            m.block[rows],
        )
        # decision columns come first in the whole model and in each part
        known = None if start is None else start[columns[columns < start.size]]
        own = replace(self.task, model=model, cost=cost, offset=0.0, start=known)
        gap = max(1e-9, 0.9 * _step(own))
        return replace(own, absolute_gap=gap, gap=min(self.task.gap, 1e-9), on_progress=self._poll)

    def _limit(self, share: float) -> float | None:
        left = self.remaining_s()
        return None if left is None else share * left

    def _poll(self, _objective: float | None, _bound: float | None) -> bool:
        return self.task.on_progress(None, None)


def _holds(m: MilpModel, x: Array) -> bool:
    value = m.matrix @ x
    scale = 1e-6 * np.maximum(1.0, np.abs(value))
    return bool(np.all(value >= m.row_lower - scale) and np.all(value <= m.row_upper + scale))


def _reach(matrix: sparse.csr_array, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Least and largest value of each row."""
    positive, negative = matrix.maximum(0), matrix.minimum(0)
    return positive @ lower + negative @ upper, positive @ upper + negative @ lower


def _step(task: Task) -> float:
    """What the objective of a part is a multiple of, 0 when that is not known."""
    used = np.flatnonzero(task.cost)
    if not used.size:
        return 0.0
    linear = Linear(np.zeros(used.size, np.int64), used, task.cost[used], np.zeros(1))
    return float(lattice(linear, task.model.grain)[0])


def _floor(task: Task) -> float:
    """The least objective by the bounds of the columns."""
    low, high = task.cost * task.model.lower, task.cost * task.model.upper
    return float(np.minimum(low, high).sum())
