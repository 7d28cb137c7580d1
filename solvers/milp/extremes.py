"""Largest values of groups of expressions: shared by maxima, minima and peaks."""

from __future__ import annotations

import numpy as np

from models.graph.cells import Array
from solvers.milp.context import Context
from solvers.milp.grain import grouped
from solvers.milp.linear import Indices, Linear
from solvers.milp.operation import Need

__all__ = ["largest"]


def largest(
    ctx: Context,
    x: Linear,
    low: Array,
    high: Array,
    target: Indices,
    n: int,
    need: Need,
    *,
    whole: bool = False,
) -> Linear:
    """The largest of the expressions `x` that go to each of `n` targets.

    Parameters
    ----------
    low, high
        float64[x.n]: bounds of the expressions.
    target
        int64[x.n], each of 0..n-1 at least once.
    whole
        The expressions are whole numbers: so is the column of the largest, which can then be branched on.
    """
    if n == 0:
        return x
    floor = np.full(n, -np.inf)
    np.maximum.at(floor, target, low)
    # an expression that never exceeds what another always reaches cannot be the largest alone
    order = np.lexsort((np.arange(x.n), -low, target))
    best = order[np.flatnonzero(np.append(True, np.diff(target[order]) > 0))]
    matters = high > floor[target]
    matters[best] = True
    kept = np.flatnonzero(matters)
    x, low, high, target = x.taken(kept), low[kept], high[kept], target[kept]
    count = np.bincount(target, minlength=n)
    single = count == 1
    lone = np.flatnonzero(single[target])
    lone = lone[np.argsort(target[lone], kind="stable")]
    many = np.flatnonzero(~single)
    place = np.full(n, -1, np.int64)
    place[many] = np.arange(many.size)
    member = np.flatnonzero(~single[target])
    group = place[target[member]]
    top = np.full(many.size, -np.inf)
    np.maximum.at(top, group, high[member])
    grain = grouped(ctx.grain(x.taken(member)), group, many.size)
    y = ctx.fresh(floor[many], top, integer=whole, grain=grain)
    part, spread = x.taken(member), y.taken(group)
    if need & Need.ABOVE:
        ctx.at_most(part - spread, 0.0)
    if need & Need.BELOW:
        chosen = ctx.binaries(member.size)
        slack = top[group] - low[member]
        ctx.at_most(Linear.summed([spread, part.scaled(-1.0), chosen.scaled(slack)]), slack)
        ctx.model.rows(chosen.reduced(group, many.size), lower=1.0, upper=1.0)
    return ctx.scattered([(np.flatnonzero(single), x.taken(lone)), (many, y)], n)
