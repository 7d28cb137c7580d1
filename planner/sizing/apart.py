"""Large problems: every workload sized by itself, at prices that make them share the pools.

With a price π[p] for each GPU of pool p, the workloads no longer meet, and

    Σ_w min (π · gpus[w])  +  Σ_p min_u (cost_p(u) − π[p] · u)

with u from 0 to the supply of p is a lower bound of the cost (Lagrangian relaxation). The first prices are
the pools' own: where the answers fit the pools together, they are the optimum up to the gap of each. Else the
answers so far are mixed within the supply, the prices of the mixture are asked for (Dantzig and Wolfe), and
so on until the bound meets the best choice of one answer for each workload. The last mixture, rounded, is a
choice that takes no time.

What the workloads must pay at any prices is at most what the whole supply is worth at them, if all of them
can be served; where it is more, that is proven to be impossible (Farkas). The prices of a mixture that lacks
GPUs show it, once those are dear enough for what they cost otherwise not to matter.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from planner.fleet.fleet import Pool
from planner.sizing.alone import Alone, Answer
from planner.sizing.master import Floats, Master
from planner.sizing.problem import SizingProblem
from planner.sizing.rounding import Counts, round_up
from solvers import SolveOptions

__all__ = ["Apart", "Memo", "largest_share", "solve_apart"]

MOST_ROUNDS = 40
GAP = 1e-3
"""Relative distance of the answer from the bound at which no more prices are tried."""
IMPOSSIBLE = 1e-9
"""Relative and absolute rounding of what workloads pay."""
SHARE_HALVINGS = 5
"""Of what share of all demands is served: found within a thirtieth."""
NEW = 0.5
"""Part of the new prices in the next ones; the rest are those of the best bound: the mixture's own jump."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """A solution and a bound of the cost.

    Parameters
    ----------
    counts
        int64[candidate] that serve all demand within the supply; None when none were found. How groups pack
        into nodes, and the slots of adapters, are not looked at.
    bound
        No counts that serve all demand cost less; infinite where there are none.
    """

    counts: Counts | None
    bound: float

    @property
    def is_impossible(self) -> bool:
        """Whether no counts are proven to serve all demand."""
        return self.bound == np.inf


@dataclass(slots=True)
class Memo:
    """What is known of the workloads by themselves: the same candidates, other periods.

    Parameters
    ----------
    alone
        By workload.
    answers
        By workload, its demand, and the prices of its pools; None: the demand cannot be served.
    """

    alone: dict[str, Alone] = field(default_factory=dict)
    answers: dict[tuple[object, ...], Answer | None] = field(default_factory=dict)

    def workload(self, problem: SizingProblem, name: str) -> Alone:
        """The candidates of a workload."""
        if name not in self.alone:
            self.alone[name] = Alone(problem, name)
        return self.alone[name]

    def answer(self, problem: SizingProblem, name: str, prices: Mapping[str, float]) -> Answer | None:
        """Least price of a workload's demand."""
        alone = self.workload(problem, name)
        demand = problem.demand_per_s(name)
        key = (name, demand, tuple(prices[pool] for pool in sorted(set(alone.pools))))
        if key not in self.answers:
            self.answers[key] = alone.solve(demand, prices)
        return self.answers[key]

    def of(self, name: str) -> list[Answer]:
        """All answers of a workload."""
        return [answer for key, answer in self.answers.items() if key[0] == name and answer is not None]


def solve_apart(problem: SizingProblem, options: SolveOptions, memo: Memo | None = None) -> Apart | None:
    """Minimise the cost with all demand served; None where that is impossible, or there was no time.

    Parameters
    ----------
    memo
        Answers known from other periods; added to.
    """
    memo = memo or Memo()
    begun, limit_s = time.monotonic(), options.time_limit_s
    fleet = problem.fleet
    names = [workload.name for workload in fleet.workloads]
    prices = {pool.name: pool.price_per_gpu_hour for pool in fleet.pools}
    master: Master | None = None
    mixture: Floats | None = None
    bound, best, best_cost = -np.inf, None, np.inf
    steady, smooth, settled = prices, True, False
    for _ in range(MOST_ROUNDS):
        if limit_s is not None and time.monotonic() - begun > limit_s:
            break
        answers = [memo.answer(problem, name, prices) for name in names]
        whole = [answer for answer in answers if answer is not None]
        if len(whole) < len(names):
            return None
        master = master or Master(problem, [memo.workload(problem, name).columns for name in names])
        idle = sum(_idle(p, problem.withheld_gpus.get(p.name, 0), prices[p.name]) for p in fleet.pools)
        value = idle + sum(answer.bound for answer in whole)
        worth = float(master.supply @ [prices[pool.name] for pool in fleet.pools])
        if sum(answer.bound for answer in whole) > worth * (1 + IMPOSSIBLE) + IMPOSSIBLE:
            return Apart(counts=None, bound=np.inf)
        if value > bound:
            bound, steady = value, prices
        fresh = [master.add(n, answer.counts) for n, answer in enumerate(whole)]
        counts = master.together([answer.counts for answer in whole])
        if (cost := master.cost(counts)) < best_cost:
            best, best_cost = counts, cost
        if best_cost * (1 - GAP) <= bound or (settled and not any(fresh)):
            break
        choice = master.relaxed()
        if choice is not None and choice.mixture is not None:
            mixture = choice.mixture
        at_bound = choice is not None and choice.value * (1 - GAP / 4) <= bound
        if mixture is None and not master.is_dear and (at_bound or not (any(fresh) or smooth)):
            master.is_dear = True
            choice, at_bound = master.relaxed(), False
        if choice is None or at_bound:
            break
        # Prices between that bring nothing new give way to the mixture's own.
        smooth = any(fresh) and not master.is_dear
        share = NEW if smooth else 1.0
        settled = not smooth and (master.is_dear or mixture is not None)
        prices = {
            name: round(share * price + (1 - share) * steady[name], 6)
            for name, price in choice.prices.items()
        }
    if master is None:
        return None
    if mixture is not None and best_cost * (1 - GAP) > bound:
        near = round_up(problem, mixture)
        if near is not None and (cost := master.cost(near)) < best_cost:
            best, best_cost = near, cost
    if best_cost * (1 - GAP) > bound:
        left_s = None if limit_s is None else max(limit_s - (time.monotonic() - begun), 0.1)
        chosen = master.whole(left_s)
        if chosen is not None and (cost := master.cost(chosen)) < best_cost:
            best, best_cost = chosen, cost
    # Without what can be done without.
    return Apart(counts=None if best is None else round_up(problem, best), bound=float(bound))


def largest_share(problem: SizingProblem, options: SolveOptions) -> Counts | None:
    """Return int64[candidate] that serve the same share of every demand, as large a share as halving finds.

    None where no share tried is served, or there was no time.
    """
    begun, limit_s, memo = time.monotonic(), options.time_limit_s, Memo()
    found, low, high = None, 0.0, 1.0
    for _ in range(SHARE_HALVINGS):
        left_s = None if limit_s is None else limit_s - (time.monotonic() - begun)
        if left_s is not None and left_s <= 0:
            break
        middle = (low + high) / 2
        workloads = (replace(w, rate_per_s=w.rate_per_s * middle) for w in problem.fleet.workloads)
        less = replace(problem, fleet=replace(problem.fleet, workloads=tuple(workloads)))
        apart = solve_apart(less, replace(options, time_limit_s=left_s), memo)
        if apart is None or apart.counts is None:
            high = middle
        else:
            low, found = middle, apart.counts
    return found


def _idle(pool: Pool, withheld: int, price: float) -> float:
    """``min_u (cost(u) − price · u)`` over the GPUs u that may be in use: at an end, or where price bends."""
    most = pool.usable_gpus - withheld
    return min(pool.cost_per_hour(u) - price * u for u in (0, min(pool.reserved_gpus, most), most))
