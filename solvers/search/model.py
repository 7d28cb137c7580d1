"""A graph as flat arrays, and the state of one search on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.graph import Graph
from models.graph.cells import Array
from models.graph.space import Ints

__all__ = ["Model", "State", "Weighted"]

Longs = npt.NDArray[np.int64]


@dataclass(slots=True, kw_only=True)
class Model:
    """What does not change while searching. `solvers.search.layout` says what the integer tables hold.

    Object `n_objects` is nobody, container `n_containers` is "unassigned", `n_containers + 1` is in no item
    of any scope. Goal weights are kept apart by tier; `weighted` joins them.
    """

    graph: Graph
    n_objects: int
    n_containers: int
    n_tiers: int
    initial: Ints
    may_leave: npt.NDArray[np.bool_]
    movable: Ints
    # columns
    blocks: Longs
    W: Array
    home_w: Array
    item_of: Ints
    home: Ints
    upper: Array
    lower: Array
    slope: Array
    terms: Longs
    params: Array
    term_tier: Longs
    knots: Array
    widest: int
    n_costs: int
    dynamic: Longs
    dyn_row: Ints
    dyn_base: Array
    dyn_table: Array
    # linear costs
    linear: Longs
    lin_w: Array
    lin_gamma: Array
    linear_tier: Longs
    move_w: dict[int, Array]
    # groups
    groups: Longs
    n_counts: int
    row_ptr: Longs
    row_of: Ints
    member_ptr: Longs
    member: Ints
    group_limit: Ints
    group_slope: Array
    group_term: Longs
    group_param: Array
    group_param_tier: Longs
    allow_key: Longs
    allow_count: Ints
    # the rest
    leaves: Longs
    nodes: Longs
    node_ids: tuple[int, ...]
    pointers: Longs
    targets: Ints
    leaf_w: Array
    pairs: Ints
    pair_rate: Array
    distance: Array
    children: Longs
    parents: Longs
    pool: Array
    goal_w: dict[int, Array]
    n_goal: int
    allowance: Array
    node_slope: Array
    offsets: Array
    statistics: dict[str, float] = field(default_factory=dict)

    @property
    def n_values(self) -> int:
        """Number of elements of all remaining nodes."""
        from solvers.search.layout import N_OFFSET, N_SIZE, NODE

        if self.nodes.size == 0:
            return 0
        last = self.nodes[-NODE:]
        return int(last[N_OFFSET] + last[N_SIZE])

    def weighted(self, tier_weights: Array, violation_weight: float) -> Weighted:
        """Goal weights with tier t multiplied by ``tier_weights[t]`` and violations by `violation_weight`."""
        from solvers.search.layout import B_ITEMS, B_PARAM, B_TERM, B_TERM_END, BLOCK

        params = self.params.copy()
        for q in range(0, self.blocks.size, BLOCK):
            n, t0, t1 = (int(self.blocks[q + k]) for k in (B_ITEMS, B_TERM, B_TERM_END))
            if t1 > t0:
                start = int(self.blocks[q + B_PARAM])
                table = params[start : start + (n + 1) * (t1 - t0) * 3].reshape(n + 1, t1 - t0, 3)
                table[:, :, 2] *= tier_weights[self.term_tier[t0:t1]]
        move_w = np.zeros(self.n_objects + 1)
        for tier, weights in self.move_w.items():
            move_w += tier_weights[tier] * weights
        lin_gamma = self.lin_gamma * np.append(tier_weights, violation_weight)[self.linear_tier]
        group_param = self.group_param.reshape(-1, 3).copy()
        group_param[:, 2] *= tier_weights[self.group_param_tier]
        goal_w = np.zeros(self.n_goal)
        for tier, weights in self.goal_w.items():
            goal_w += tier_weights[tier] * weights
        return Weighted(
            params=params,
            penalty=self.slope * violation_weight,
            lin_gamma=lin_gamma,
            move_w=move_w,
            group_penalty=self.group_slope * violation_weight,
            group_param=group_param.reshape(-1),
            goal_w=goal_w,
            node_penalty=self.node_slope * violation_weight,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighted:
    """The goal weights of one weighting of the tiers."""

    params: Array
    penalty: Array
    lin_gamma: Array
    move_w: Array
    group_penalty: Array
    group_param: Array
    goal_w: Array
    node_penalty: Array


class State:
    """One assignment and everything derived from it, kept up to date by the kernels.

    Made by `solvers.search.state.make_state`.
    """

    __slots__ = (
        "X", "assignment", "cost", "group_count", "mark", "model", "n_touched", "old", "pending",
        "pending_at",
        "touched", "value", "weights", "xs",
    )  # fmt: skip

    def __init__(self, model: Model, weights: Weighted) -> None:
        n_values, n_nodes = model.n_values, len(model.node_ids)
        self.model = model
        self.weights = weights
        self.assignment: Ints = np.empty(model.n_objects + 1, np.int32)
        self.X: Array = np.zeros(model.upper.size)
        self.cost: Array = np.zeros(model.n_costs)
        self.group_count = np.zeros(model.n_counts, np.int16)
        self.value: Array = np.zeros(n_values)
        self.old: Array = np.zeros(n_values)
        self.touched = np.zeros(n_values, np.int32)
        self.mark = np.zeros(n_values, np.uint8)
        self.n_touched = np.zeros(n_nodes, np.int64)
        self.xs: Array = np.zeros(model.widest + 1)
        n_blocks = model.blocks.size // 16
        self.pending_at = np.zeros(3 * n_blocks + 2, np.int64)
        self.pending: Array = np.zeros(3 * n_blocks + 2)

    def arguments(self, *, free: bool = False) -> tuple[Any, ...]:
        """The common arguments of all move kernels, in their order."""
        m, w = self.model, self.weights
        return (
            m.n_objects, free, self.assignment, self.xs, self.pending_at, self.pending,
            m.blocks, self.X, m.W, m.home_w, m.item_of, m.home, m.upper, m.lower, w.penalty, m.terms,
            w.params,
            m.knots, self.cost, m.dynamic, m.dyn_row, m.dyn_base, m.dyn_table,
            m.linear, m.lin_w, w.lin_gamma, w.move_w, m.initial,
            m.groups, self.group_count, m.row_ptr, m.row_of, m.member_ptr, m.member,
            m.group_limit, w.group_penalty, m.group_term, w.group_param, m.allow_key, m.allow_count,
            m.leaves, m.nodes, self.value, self.old, self.touched, self.mark, self.n_touched, m.pointers,
            m.targets, m.leaf_w, m.pairs, m.pair_rate, m.distance, m.children, m.parents, m.pool, w.goal_w,
            m.allowance, w.node_penalty,
        )  # fmt: skip
