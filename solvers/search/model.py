"""A graph as flat arrays, and the state of one search on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.graph import Graph
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.search import layout

__all__ = ["Model", "State", "Tables", "pack"]

Longs = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """The arrays H, J, F and G of `solvers.search.layout`, and where each table is in its array."""

    H: Longs
    J: Ints
    F: Array
    G: Array
    start: Mapping[str, int]
    end: Mapping[str, int]

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """The table `name` as a view."""
        whole = (
            self.H if name in layout.IN_H
            else self.J if name in layout.IN_J
            else self.F if name in layout.IN_F
            else self.G
        )  # fmt: skip
        return whole[self.start[name] : self.end[name]]


def pack(tables: dict[str, Any], sizes: Mapping[str, int], n_objects: int, n_containers: int) -> Tables:
    """Join `tables` (emptied while that is done); `sizes` are those of the tables that every state has."""
    start: dict[str, int] = {}
    end: dict[str, int] = {}

    def joined(names: tuple[str, ...], dtype: npt.DTypeLike, offset: int = 0) -> npt.NDArray[Any]:
        for name in names:
            start[name] = offset
            offset += tables[name].size
            end[name] = offset
        whole = np.empty(max(offset, 1), dtype)
        for name in names:
            whole[start[name] : end[name]] = tables.pop(name)
        return whole

    H = joined(layout.IN_H, np.int64, layout.HEADER)
    J, F, G = joined(layout.IN_J, np.int32), joined(layout.IN_F, np.float64), joined(layout.IN_G, np.float64)
    for names in (layout.IN_A, layout.IN_V):
        offset = 0
        for name in names:
            start[name] = offset
            offset += sizes[name]
            end[name] = offset
    for i, name in enumerate(layout.NAMES):
        H[2 * i], H[2 * i + 1] = start[name], end[name]
    H[layout.N_OBJECTS], H[layout.N_CONTAINERS] = n_objects, n_containers
    H[layout.N_NODES] = sizes["n_touched"]
    return Tables(H, J, F, G, start, end)


@dataclass(slots=True, kw_only=True)
class Model:
    """What does not change while searching.

    Object `n_objects` is nobody, container `n_containers` is "unassigned", `n_containers + 1` is in no item
    of any scope. Prices in `tables` are zero where the tiers decide; `weighted` gives them.

    Parameters
    ----------
    n_counts
        Number of group counts, those of non-empty cells included.
    gamma_tier, move_w, linear_tier, group_param_tier, goal_w
        Which tier a price of G is multiplied by; -1: none.
    slope, group_slope
        What an excess by one counts as violation, by column and by group table.
    node_ids
        Nodes of the graph that are kept one value per element.
    """

    graph: Graph
    n_objects: int
    n_containers: int
    n_tiers: int
    initial: Ints
    may_leave: npt.NDArray[np.bool_]
    tables: Tables
    n_counts: int
    gamma_tier: tuple[tuple[int, int, Longs], ...]
    slope: Array
    linear_tier: Longs
    move_w: dict[int, Array]
    group_slope: Array
    group_param_tier: Longs
    goal_w: dict[int, Array]
    node_ids: tuple[int, ...]
    offsets: Array

    @property
    def has_violations(self) -> bool:
        """Whether there is anything that may be broken at a price."""
        t = self.tables
        return bool(
            np.isfinite(t["upper"]).any()
            or np.isfinite(t["lower"]).any()
            or self.group_slope.any()
            or t["allowance"].size
        )

    @property
    def counts_departures(self) -> bool:
        """Whether an upper limit counts objects elsewhere than where they started only, as ``during`` does.

        Then going back to where it started is the one move that needs no room.
        """
        t, n = self.tables, self.n_objects + 1
        for row in t["blocks"].reshape(-1, layout.BLOCK).tolist():
            d, split, first = row[layout.B_COLUMNS], row[layout.B_SPLIT], row[layout.B_DYNAMIC]
            upper = t["upper"][row[layout.B_X] :][: (row[layout.B_ITEMS] + 1) * d].reshape(-1, d)
            away = t["W"][row[layout.B_W] :][: n * d].reshape(n, d)[:, split:first]
            home = t["home_w"][row[layout.B_HOME_W] :][: n * (first - split)].reshape(n, first - split)
            if np.any(np.isfinite(upper[:, split:first]).any(axis=0) & (home < away).any(axis=0)):
                return True
        return False

    def weighted(self, tier_weights: Array, violation_weight: float) -> Array:
        """The prices G with tier t multiplied by ``tier_weights[t]`` and violations by `violation_weight`."""
        t = self.tables
        out = t.G.copy()

        def part(name: str) -> Array:
            return out[t.start[name] : t.end[name]]

        params = part("params")
        for first, rows, tier in self.gamma_tier:
            table = params[first : first + rows * tier.size].reshape(rows, tier.size)
            table *= np.where(tier >= 0, tier_weights[np.maximum(tier, 0)], 1.0)
        part("penalty")[:] = self.slope * violation_weight
        part("lin_gamma")[:] *= np.append(tier_weights, violation_weight)[self.linear_tier]
        for tier_index, weights in self.move_w.items():
            part("move_w")[:] += tier_weights[tier_index] * weights
        part("group_penalty")[:] = self.group_slope * violation_weight
        part("group_param").reshape(-1, 3)[:, 2] *= tier_weights[self.group_param_tier]
        for tier_index, weights in self.goal_w.items():
            part("goal_w")[:] += tier_weights[tier_index] * weights
        part("node_penalty")[:] = violation_weight
        return out


class State:
    """One assignment and everything derived from it, kept up to date by the kernels.

    Made by `solvers.search.state.make_state`.
    """

    __slots__ = ("A", "C", "G", "V", "model")

    def __init__(self, model: Model, prices: Array) -> None:
        t = model.tables
        self.model = model
        self.G = prices
        self.A = np.zeros(t.end[layout.IN_A[-1]], np.int32)
        self.V: Array = np.zeros(t.end[layout.IN_V[-1]])
        self.C = np.zeros(max(model.n_counts, 1), np.int16)

    def part(self, name: str) -> npt.NDArray[Any]:
        """A part of the state, or the counts (``"counts"``), as a view."""
        if name == "counts":
            return self.C
        t = self.model.tables
        whole: npt.NDArray[Any] = self.A if name in layout.IN_A else self.V
        return whole[t.start[name] : t.end[name]]

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """H, J, F, G, A, V, C: the common arguments of the kernels, in their order."""
        t = self.model.tables
        return t.H, t.J, t.F, self.G, self.A, self.V, self.C
