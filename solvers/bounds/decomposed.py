"""A lower bound at any size: prices on amounts, so that every object chooses its place by itself.

Lagrangian decomposition. A tier is a sum of convex functions ``f_k(a_k)`` of amounts that are linear in the
assignment (`solvers.bounds.separable`). With a price s_k on each amount

    Σ_k f_k(a_k)  ≥  Σ_k min_a (f_k(a) − s_k a)  +  min over assignments of Σ_k s_k a_k,

and the last minimum is one independent choice for each object. Linear hard limits and earlier tiers that are
linear take part with prices of at least 0. Equal prices on equal items give Jensen's inequality: the square
of the mean. The prices are improved by subgradient steps of Polyak's length.

Whole objects make the lines under f steeper: where ``a = Σ q_o`` over the objects on an item with q_o ≥ 0,
and s is a slope of f at t ≥ 0,

    f(Σ q_o)  ≥  f(t) − s t  +  Σ_o (s min(q_o, t) + f(max(q_o, t)) − f(t)),

since the increments of f that single objects bring beyond t can be laid one after another above t, where f is
at least as steep. An object that a limit keeps alone on its item even brings ``f(q_o) − f(t) + s t``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.graph import Graph
from models.graph.cells import Array
from models.graph.space import Ints
from solvers.bounds.dual import Dual, Prices
from solvers.bounds.places import Places
from solvers.bounds.separable import Separable, hard_rows, separated
from solvers.clock import Clock
from solvers.milp.classes import find_classes

__all__ = ["LARGEST", "Decomposed", "decomposed_bound"]

LARGEST = 400_000_000
"""Object classes × places up to which the bound is tried."""
KEPT = 20_000_000
"""Object classes × places up to which single costs are returned."""
STEPS = 60
"""Subgradient steps, first with common prices for equal items, then with prices of their own."""
PATIENCE = 4
"""Steps without a better bound before steps become half as long."""
LEAST_STEP = 1e-3
"""Step length, as a part of Polyak's, at which the prices are as good as they get."""


@dataclass(frozen=True, eq=False, slots=True)
class Decomposed:
    """``bound``: of the tier; ``reduced``: float64[classes, places], None for large problems.

    An assignment in which an object of class c is in place p has at least ``bound + reduced[c, p]``.
    """

    bound: float
    reduced: Array | None

    def possible(self, value: float) -> npt.NDArray[np.bool_] | None:
        """bool[classes, places]: where objects can be in assignments with at most `value`."""
        if self.reduced is None:
            return None
        slack = value - self.bound + 1e-9 * max(1.0, abs(value), abs(self.bound))
        return np.asarray(self.reduced <= max(slack, 0.0))


def decomposed_bound(
    graph: Graph,
    tier: int,
    assignment: Ints,
    values: Sequence[float],
    clock: Clock,
    *,
    allowed: npt.NDArray[np.bool_] | None = None,
    steps: int = STEPS,
) -> Decomposed | None:
    """Bound of tier `tier` over the assignments as good as `values` in all earlier ones.

    Parameters
    ----------
    assignment
        int32[n_objects], a good one: the prices start from its amounts.
    values
        Of all tiers at `assignment`; the steps aim at the one of `tier`.
    allowed
        bool[classes, places] of `solvers.milp.classes.find_classes`: where objects may be; None: everywhere.

    None when the problem is too large, or the clock stopped before a first bound.
    """
    places = Places.of(graph.space, find_classes(graph))
    n, width = places.shape
    if n * width > LARGEST or not n:
        return None
    form = separated((t.node, t.weight) for t in graph.tiers[tier].terms)
    pins = [_pin(separated((t.node, t.weight) for t in graph.tiers[i].terms), values[i]) for i in range(tier)]
    pins = [(pin, limit) for pin, limit in pins if pin.linear]
    dual = Dual.of(graph, places, form, hard_rows(graph), pins, assignment, allowed)
    best = _ascend(dual, float(values[tier]), clock, steps)
    if best is None:
        return None
    bound, prices = best
    reduced = dual.reduced(prices, clock) if n * width <= KEPT else None
    return Decomposed(bound, reduced)


def _pin(form: Separable, value: float) -> tuple[Separable, float]:
    """A linear consequence of "this tier is at most `value`": curved parts at their least."""
    from solvers.bounds.convex import touching, values

    least = 0.0
    for part in form.parts:
        low, high = (x[part.cells] for x in part.inner.range())
        flat = touching(part, np.zeros(low.size), low, high, np.zeros(low.size))
        least += float(np.minimum(flat.height, values(part, low)).sum())
    rounding = 1e-9 * max(1.0, abs(value))
    return Separable(form.constant + least, form.linear, []), value + rounding


def _ascend(dual: Dual, target: float, clock: Clock, steps: int) -> tuple[float, Prices] | None:
    """The best bound found and its prices."""
    best: tuple[float, Prices] | None = None
    for start in dual.starts():
        made = dual.value(start, clock)
        if made is None:
            break
        if best is None or made.bound > best[0]:
            best = made.bound, start
    for tied in (True, False):
        if best is None:
            break
        best = _climb(dual, best, target, clock, steps, tied=tied)
    return best


def _climb(
    dual: Dual, best: tuple[float, Prices], target: float, clock: Clock, steps: int, *, tied: bool
) -> tuple[float, Prices]:
    at, length, stale = best[1], 1.0, 0
    for _ in range(steps):
        made = dual.value(at, clock)
        if made is None:
            break
        if made.bound > best[0] + 1e-12 * abs(best[0]):
            best, stale = (made.bound, at), 0
        else:
            stale += 1
        if stale >= PATIENCE:
            at, length, stale = best[1], 0.5 * length, 0
            if length < LEAST_STEP:
                break
            continue
        distance = target - made.bound
        if distance <= 1e-9 * max(1.0, abs(target)):
            break
        moved = dual.step(at, made.slope, length * distance, tied=tied)
        if moved is None:
            break
        at = moved
    return best
