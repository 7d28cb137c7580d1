# mypy: allow-untyped-calls
"""One thread of search: a state, its random numbers, and slices of annealing on it."""

from __future__ import annotations

import time

import numpy as np

from models.graph.space import Ints
from solvers.search import layout
from solvers.search.focus import hot_objects
from solvers.search.model import Model, Weighted
from solvers.search.state import assignment_of, make_state, place

__all__ = ["MIX", "Worker", "similarity"]

MIX = {
    layout.SHIFT: 0.28,
    layout.HOME: 0.10,
    layout.SWAP: 0.15,
    layout.SIMILAR: 0.25,
    layout.CHAIN: 0.12,
    layout.BEST: 0.10,
}
"""Shares of the move types."""

SLICE_S = 0.02
"""How long a slice should take: deadlines and cancellations wait for its end."""

_THRESHOLD = -np.log((np.arange(65536) + 0.5) / 65536)


def similarity(model: Model, most: int = 4) -> tuple[Ints, Ints]:
    """Objects in the order of up to `most` weights, one after the other, and the rank of each there.

    For swaps of objects of similar size.
    """
    orders: list[Ints] = []
    ranks: list[Ints] = []
    n = model.n_objects
    for q in range(0, model.blocks.size, layout.BLOCK):
        d = int(model.blocks[q + layout.B_COLUMNS])
        start = int(model.blocks[q + layout.B_W])
        table = model.W[start : start + (n + 1) * d].reshape(n + 1, d)[:-1]
        for j in np.unique(np.linspace(0, d - 1, min(d, most)).astype(int)):
            if len(orders) < most and np.any(table[:, j] != table[:1, j]):
                order = np.argsort(table[:, j], kind="stable").astype(np.int32)
                rank = np.empty(n, np.int32)
                rank[order] = np.arange(n, dtype=np.int32)
                orders.append(order)
                ranks.append(rank)
    if not orders:
        return np.empty(0, np.int32), np.empty(0, np.int32)
    return np.concatenate(orders), np.concatenate(ranks)


class Worker:
    """A search of its own; `cost` is the weighted sum of goals relative to where it was made."""

    def __init__(
        self, model: Model, weights: Weighted, assignment: Ints, order: Ints, rank: Ints, seed: int
    ) -> None:
        self.model = model
        self.state = make_state(model, weights, assignment)
        self.cost = 0.0
        self.order, self.rank = order, rank
        self.rng = np.array([(seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64], np.uint64)
        self.counts = np.zeros(layout.MOVES * layout.OUTCOMES, np.int64)
        self._totals = np.zeros(2)
        self._focus = np.zeros(1, np.int32)
        self._focus_share = 0
        self.leaving = bool(model.may_leave.any())
        self.shares = self._cumulative()
        self.slice = 500
        self.fixed_slices = False
        self.samples = 12

    def _cumulative(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        mix = np.array([MIX[k] for k in range(layout.MOVES)])
        if not self.order.size:
            mix[layout.SWAP] += mix[layout.SIMILAR]
            mix[layout.SIMILAR] = 0.0
        if self.model.n_objects < 2:
            mix[[layout.SWAP, layout.SIMILAR, layout.CHAIN]] = 0.0
        out = np.round(np.cumsum(mix / mix.sum()) * 65536).astype(np.int64)
        out[-1] = 65536
        return out

    def run(self, temperature: float, n: int | None = None) -> int:
        """One slice at `temperature`; returns how many proposals it made."""
        from solvers.search.kernels.anneal import anneal

        n = n or self.slice
        self._totals[0] = 0.0
        before = time.perf_counter()
        anneal(
            n, temperature, self.shares, self._focus_share, self.samples, self.model.movable, self._focus,
            self.order, self.rank, self.model.may_leave, _THRESHOLD, self.rng, self.counts, self._totals,
            np.empty(0), self.leaving, self.model.n_containers, *self.state.arguments(),
        )  # fmt: skip
        took = time.perf_counter() - before
        if not self.fixed_slices:
            self.slice = int(np.clip(n * min(4.0, SLICE_S / max(took, 1e-6)), 50, 2_000_000))
        self.cost += float(self._totals[0])
        return n

    def refocus(self) -> None:
        """Give hot objects half of the proposals, as long as they are few."""
        found = hot_objects(self.state)
        few = 0 < found.size <= self.model.n_objects // 4
        self._focus = found if few else np.zeros(1, np.int32)
        self._focus_share = 32768 if few else 0

    def sample(self, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Changes of cost by `n` random proposals that no limit forbids (limits priced instead)."""
        from solvers.search.kernels.anneal import anneal

        record = np.empty(n)
        anneal(
            0, 0.0, self.shares, 0, 1, self.model.movable, self._focus, self.order, self.rank,
            self.model.may_leave, _THRESHOLD, self.rng, np.zeros_like(self.counts), np.zeros(2), record,
            self.leaving, self.model.n_containers, *self.state.arguments(free=True),
        )  # fmt: skip
        return record[np.isfinite(record)]

    def assignment(self) -> Ints:
        """Where everything is."""
        return assignment_of(self.state)

    def go_to(self, assignment: Ints, cost: float) -> None:
        """Continue from another assignment, everything derived afresh."""
        place(self.state, assignment)
        self.cost = cost
