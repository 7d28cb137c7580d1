"""What one more unit of each limit is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.graph import Graph
from solvers.bounds.linear import solve_relaxed
from solvers.clock import Clock
from solvers.milp.lowering import Interrupted, Limit, lower
from solvers.milp.model import Rows
from solvers.options import SolveOptions

__all__ = ["Price", "limit_prices"]


@dataclass(frozen=True, slots=True)
class Price:
    """Raising `limit` by one (small) unit improves goal tier `tier` by `per_unit`."""

    limit: Limit
    tier: str
    per_unit: float


def limit_prices(graph: Graph, options: SolveOptions | None = None) -> tuple[Price, ...]:
    """Prices of all limits that are worth something, in the order of tiers, dearest first.

    They are those of the linear relaxation with the earlier tiers at their optimum: exact for small changes
    of divisible amounts, a guide for whole ones. Empty when the relaxation is infeasible or takes too long.
    """
    options = options or SolveOptions()
    clock = Clock(options)
    try:
        lowered = lower(graph, prune=False, stopped=lambda: clock.stopped)
    except Interrupted:
        return ()
    model = lowered.model
    out: list[Price] = []
    for i, tier in enumerate(graph.tiers):
        expression = lowered.tiers.taken(np.array([i]))
        cost = np.zeros(model.n_columns)
        cost[expression.column] = expression.coefficient
        solved = solve_relaxed(
            model,
            cost,
            float(expression.constant[0]),
            clock.remaining_s,
            options.threads,
            stopped=lambda: clock.stopped,
        )
        if solved is None:
            break
        worth = np.flatnonzero((model.block >= 0) & (solved.row_price < -1e-9))
        worth = worth[np.argsort(solved.row_price[worth], kind="stable")]
        out += [
            Price(lowered.limits[int(model.block[r])], tier.name, -float(solved.row_price[r])) for r in worth
        ]
        upper = np.array([solved.objective + 1e-9 * max(1.0, abs(solved.objective))])
        model = model.with_rows(Rows(expression, np.array([-np.inf]), upper, np.array([-1])))
    return tuple(out)
