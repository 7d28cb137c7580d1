# mypy: allow-untyped-calls
"""One thread of search: a state, its random numbers, and slices of annealing on it."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from models.graph.cells import Array
from models.graph.space import Ints
from solvers.search import layout
from solvers.search.focus import hot_objects
from solvers.search.model import Longs, Model
from solvers.search.state import assignment_of, make_state, place, reweigh

__all__ = ["MIX", "Worker", "similarity"]

MIX = {
    layout.SHIFT: 0.26,
    layout.HOME: 0.08,
    layout.SWAP: 0.14,
    layout.SIMILAR: 0.25,
    layout.CHAIN: 0.12,
    layout.BEST: 0.02,
    layout.JOIN: 0.03,
    layout.RETURN: 0.03,
    layout.CYCLE: 0.02,
    layout.CARRY: 0.02,
    layout.GATHER: 0.01,
    layout.TRADE: 0.03,
    layout.ROOM: 0.1,
}
"""Shares of the move types."""
RARE = (layout.BEST, layout.JOIN, layout.CYCLE, layout.CARRY, layout.GATHER, layout.TRADE, layout.ROOM)
"""Kinds whose shares follow what they bring."""

SLICE_S = 0.02
"""How long a slice should take: deadlines and cancellations wait for its end."""
ROUNDING = 4e-15
"""Error of a change of cost relative to the largest cost of an item."""

_MANTISSAS = 1 << layout.THRESHOLD_BITS
_THRESHOLD = -np.log1p((np.arange(_MANTISSAS) + 0.5) / _MANTISSAS)
_NOTHING = np.empty(0)


def similarity(model: Model, most: int = 4) -> tuple[Ints, Ints]:
    """Objects in the order of up to `most` weights, one after the other, and the rank of each there.

    For swaps of objects of similar size.
    """
    orders: list[Ints] = []
    ranks: list[Ints] = []
    n = model.n_objects
    for row in model.tables["blocks"].reshape(-1, layout.BLOCK):
        d, start = int(row[layout.B_COLUMNS]), int(row[layout.B_W])
        table = model.tables["W"][start : start + (n + 1) * d].reshape(n + 1, d)[:-1]
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
        self, model: Model, prices: Array, assignment: Ints, order: Ints, rank: Ints, seed: int
    ) -> None:
        self.model = model
        self.state = make_state(model, prices, assignment)
        self.cost = 0.0
        self.order, self.rank = order, rank
        # not a multiple of the seed: streams that are shifted copies of each other meet and stay together
        self.rng = np.random.SeedSequence(seed).generate_state(1, np.uint64)
        self.counts = np.zeros(layout.MOVES * layout.OUTCOMES, np.int64)
        self.mode = 0
        self.pull = 0.0
        self.slice = 500
        self.fixed_slices = False
        self.samples = 12
        self._batch = np.zeros(2 * layout.BATCH, np.int64)
        self._totals = np.zeros(2)
        self._focus = np.zeros(1, np.int32)
        self._focus_share = 0
        self._leaving = bool(model.may_leave.any())
        self._first = np.zeros(model.n_containers + 2, np.int64)
        self._members = np.zeros(model.n_objects, np.int32)
        self._unlisted = layout.LIST_EVERY * model.n_objects
        self._seen = np.zeros((layout.MOVES, layout.OUTCOMES), np.int64)
        self.mix = MIX

    @property
    def mix(self) -> Mapping[int, float]:
        """Shares of the move types; those that this model has no use for are left out."""
        return self._mix

    @mix.setter
    def mix(self, mix: Mapping[int, float]) -> None:
        self._mix = dict(mix)
        self._shares = self._cumulative()

    def _cumulative(self) -> Longs:
        model, tables = self.model, self.model.tables
        mix = np.array([self._mix.get(k, 0.0) for k in range(layout.MOVES)])
        if not self.order.size:
            mix[layout.SWAP] += mix[layout.SIMILAR]
            mix[layout.SIMILAR] = 0.0
        if not tables["kin_member"].size:
            mix[[layout.JOIN, layout.CARRY]] = 0.0
        if not np.isfinite(tables["upper"]).any():
            mix[layout.ROOM] = 0.0
        if model.n_objects < 2:
            alone = [layout.SHIFT, layout.HOME, layout.BEST]
            mix[[k for k in range(layout.MOVES) if k not in alone]] = 0.0
        if model.n_objects < 3:
            mix[layout.CYCLE] = 0.0
        out = np.round(np.cumsum(mix / mix.sum()) * 65536).astype(np.int64)
        out[-1] = 65536
        return out

    def _anneal(self, n: int, temperature: float, mode: int, counts: Longs, record: Array) -> None:
        from solvers.search.kernels.anneal import anneal

        focus_share = self._focus_share if record.size == 0 else 0
        anneal(
            n, temperature, self.pull * max(temperature, 0.0), mode, self._shares, focus_share, self.samples,
            self._focus, self.order, self.rank, self._first, self._members, self._leaving, _THRESHOLD,
            self.rng, self._batch, counts, self._totals, record, *self.state.arrays,
        )  # fmt: skip

    def list_members(self) -> None:
        """List anew who is where."""
        from solvers.search.kernels.rebuild import list_members

        list_members(self._first, self._members, self.model.tables.H, self.state.A)

    def run(self, temperature: float, n: int | None = None) -> int:
        """One slice at `temperature`; returns how many proposals it made."""
        n = n or self.slice
        self._unlisted += n
        if self._unlisted >= layout.LIST_EVERY * self.model.n_objects:
            self.list_members()
            self._unlisted = 0
        self._totals[0] = 0.0
        before = time.perf_counter()
        mode = self.mode | (layout.INTACT if self.intact else 0)
        self._anneal(n, temperature, mode, self.counts, _NOTHING)
        took = time.perf_counter() - before
        if not self.fixed_slices:
            self.slice = int(np.clip(n * min(4.0, SLICE_S / max(took, 1e-6)), 50, 2_000_000))
        self.cost += float(self._totals[0])
        return n

    def look_for_places(self, objects: Ints, temperature: float = 0.0) -> int:
        """Once for each of `objects`, in order: the best of some places; how many proposals that made."""
        return self._each(objects, layout.BEST, temperature) * (self.samples + 1)

    def send_home(self, objects: Ints) -> int:
        """Each of `objects`, in order, back to where it started if that costs nothing; how many proposals."""
        return self._each(objects, layout.HOME, 0.0)

    def _each(self, objects: Ints, kind: int, temperature: float) -> int:
        """One proposal of `kind` for each of `objects`."""
        if not objects.size:
            return 0
        mix, self.mix = self.mix, {kind: 1.0}
        focus, share, size = self._focus, self._focus_share, self.slice
        self._focus, self._focus_share = objects, 65537
        self.run(temperature, objects.size)
        self._focus, self._focus_share, self.slice = focus, share, size
        self.mix = mix
        return objects.size

    @property
    def strict(self) -> float:
        """A negative temperature at which only moves are accepted that gain more than rounding does."""
        return -max(ROUNDING * float(np.abs(self.state.part("cost")).max(initial=0.0)), 1e-200)

    def size_of(self, objects: Ints) -> Array:
        """Sum of the weights of `objects`, each column relative to its mean."""
        total = np.zeros(objects.size)
        n = self.model.n_objects
        for row in self.model.tables["blocks"].reshape(-1, layout.BLOCK):
            d, start = int(row[layout.B_COLUMNS]), int(row[layout.B_W])
            table = self.model.tables["W"][start : start + (n + 1) * d].reshape(n + 1, d)[:-1]
            mean = np.abs(table).mean(axis=0)
            total += (table[objects] / np.where(mean > 0, mean, 1.0)).sum(axis=1)
        return total

    def refocus(self) -> Ints:
        """Give hot objects half of the proposals, as long as they are few; those that get it."""
        found = hot_objects(self.state)
        few = 0 < found.size <= self.model.n_objects // 4
        self._focus = found if few else np.zeros(1, np.int32)
        self._focus_share = 32768 if few else 0
        return found if few else found[:0]

    def adapt(self) -> None:
        """Make rare kinds of moves rarer where they are hardly accepted, less rare where they often are."""
        counts = self.counts.reshape(layout.MOVES, layout.OUTCOMES)
        new = counts - self._seen
        self._seen = counts.copy()
        usual = new[[layout.SHIFT, layout.SWAP, layout.SIMILAR]].sum(axis=0)
        rate = (new[:, layout.ACCEPTED] + 1.0) / (new[:, layout.TRIED] + 1.0)
        worth = rate / ((usual[layout.ACCEPTED] + 1.0) / (usual[layout.TRIED] + 1.0))
        for kind in RARE:
            most = 1.0 if kind == layout.BEST else 3.0  # it tries many places already
            self._mix[kind] = MIX[kind] * float(np.clip(worth[kind] * 4.0, 0.1, most))
        self._shares = self._cumulative()

    def sample(self, n: int) -> Array:
        """Changes of cost by `n` random proposals that no limit forbids (limits priced instead)."""
        record = np.empty(n)
        totals = self._totals.copy()
        self.list_members()
        self._anneal(0, 0.0, layout.FREE, np.zeros_like(self.counts), record)
        self._totals[:] = totals
        return record[np.isfinite(record)]

    def reprice(self, prices: Array) -> None:
        """Use other prices from now on; what it costs counts from here."""
        self.cost = 0.0
        reweigh(self.state, prices)

    @property
    def intact(self) -> bool:
        """Whether no upper limit of a column is exceeded."""
        from solvers.search.kernels.rebuild import intact

        return bool(intact(self.model.tables.H, self.model.tables.F, self.state.V))

    def assignment(self) -> Ints:
        """Where everything is."""
        return assignment_of(self.state)

    def go_to(self, assignment: Ints, cost: float) -> None:
        """Continue from another assignment, everything derived afresh."""
        place(self.state, assignment)
        self.cost = cost
