"""How much of its load a fleet can carry, what each workload needs of each pool, and what to buy for more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from planner.candidates.candidate import Candidate
from planner.candidates.dominance import undominated
from planner.candidates.enumerate import enumerate_candidates
from planner.capacity.ways import Way, ways_for_rate
from planner.clock import Clock
from planner.explain.diagnosis import diagnose, servable
from planner.explain.shortage import fewest_more_nodes
from planner.fleet import Fleet
from planner.rounds import Rounds, size_and_place
from planner.sizing.problem import SizingProblem
from planner.sizing.solve import solve_sizing

__all__ = ["Alone", "FleetAnswer", "Growth", "PoolNeed", "answer_fleet", "largest_factor"]

MOST_GROWTH = 64.0
"""Growth of the load beyond which a fleet has room enough."""
HALVINGS = 8
"""Of the search for the growth that fits: within 1.6 % of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """One workload on one pool, as if it were alone and the pool endless.

    Parameters
    ----------
    gpus_there
        GPUs the pool has.
    way
        The fewest GPUs that serve its demand in one uniform way; None: nothing of this pool can serve it.
    """

    workload: str
    pool: str
    demand_per_s: float
    gpus_there: int
    way: Way | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolNeed:
    """What a plan for some load uses of a pool, and how many nodes the pool lacks for it."""

    pool: str
    gpus_used: int
    gpus_there: int
    nodes_missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """The whole fleet at a multiple of its load.

    Parameters
    ----------
    factor
        Of every workload's rate.
    pools
        Needs by pool; empty where no number of nodes was found to do.
    cost_per_hour
        Of the GPUs in use, those to be bought included; None where there is no plan.
    reason
        Why there is none.
    """

    factor: float
    pools: tuple[PoolNeed, ...]
    cost_per_hour: float | None
    reason: str = ""

    @property
    def fits(self) -> bool:
        """Whether the nodes there are will do."""
        return bool(self.pools) and not any(pool.nodes_missing for pool in self.pools)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetAnswer:
    """The capacity of a fleet.

    Parameters
    ----------
    largest_factor
        The multiple of its load that sizing says the fleet carries, up to 64; 0 where it cannot carry any.
    """

    fleet: Fleet
    alone: tuple[Alone, ...]
    growth: tuple[Growth, ...]
    largest_factor: float

    @property
    def feasible(self) -> bool:
        """Whether the first of the growths asked for fits the nodes there are."""
        return self.growth[0].fits


def answer_fleet(fleet: Fleet, factors: Sequence[float], clock: Clock) -> FleetAnswer:
    """Size and place a fleet at each multiple of its load, and buy the cheapest nodes where it needs more.

    Policies (headroom, the loss of a node) hold as in a plan; nothing is simulated.
    """
    clock.report("candidates")
    candidates = enumerate_candidates(fleet, cancelled=lambda: clock.is_cancelled)
    considered = undominated(candidates.accepted, keep=set())
    clock.report("headroom")
    largest = largest_factor(fleet, considered, clock)
    growth = []
    for factor in factors:
        clock.report(f"load × {factor:g}")
        grown = _scaled(fleet, factor)
        rounds = size_and_place(grown, considered, (), clock)
        if _placed(rounds):
            growth.append(_growth(fleet, grown, considered, rounds, factor))
            continue
        if any(not servable([c for c in considered if c.workload == w.name]) for w in fleet.workloads):
            found = diagnose(grown, candidates, considered, rounds, clock)
            reason = f"{found.message}. Closest: {found.closest}"
            growth.append(Growth(factor=factor, pools=(), cost_per_hour=None, reason=reason))
            continue
        bought = fewest_more_nodes(grown, considered, clock)
        if bought is None:
            reason = "no number of nodes was found to do"
            growth.append(Growth(factor=factor, pools=(), cost_per_hour=None, reason=reason))
            continue
        rounds = size_and_place(bought, considered, (), clock)
        growth.append(_growth(fleet, bought, considered, rounds, factor))
    return FleetAnswer(
        fleet=fleet, alone=tuple(_alone(fleet, considered)), growth=tuple(growth),
        largest_factor=max([largest, *(one.factor for one in growth if one.fits)]),
    )  # fmt: skip


def _scaled(fleet: Fleet, factor: float) -> Fleet:
    """The fleet at a multiple of its load."""
    return replace(
        fleet,
        workloads=tuple(
            replace(
                w, rate_per_s=w.rate_per_s * factor,
                period_rates_per_s=tuple(rate * factor for rate in w.period_rates_per_s),
            )
            for w in fleet.workloads
        ),
    )  # fmt: skip


def _placed(rounds: Rounds) -> bool:
    return rounds.sizing.covers_demand and rounds.placement is not None and not rounds.placement.misplaced


def _growth(
    owned: Fleet, bought: Fleet, candidates: Sequence[Candidate], rounds: Rounds, factor: float
) -> Growth:
    used = {pool.name: 0 for pool in bought.pools}
    for index, count in rounds.sizing.counts.items():
        used[candidates[index].pool] += count * candidates[index].gpus
    pools = tuple(
        PoolNeed(
            pool=there.name, gpus_used=used[there.name], gpus_there=there.gpus,
            nodes_missing=pool.nodes - there.nodes,
        )
        for there, pool in zip(owned.pools, bought.pools, strict=True)
    )  # fmt: skip
    cost = sum(pool.cost_per_hour(used[pool.name]) for pool in bought.pools)
    return Growth(factor=factor, pools=pools, cost_per_hour=cost)


def _alone(fleet: Fleet, candidates: Sequence[Candidate]) -> list[Alone]:
    found = []
    for workload in fleet.workloads:
        demand = workload.rate_per_s * (1 + fleet.policies.headroom)
        for pool in fleet.pools:
            mine = [c for c in candidates if (c.workload, c.pool) == (workload.name, pool.name)]
            ways = ways_for_rate(mine, demand)
            found.append(
                Alone(
                    workload=workload.name, pool=pool.name, demand_per_s=demand, gpus_there=pool.gpus,
                    way=ways[0] if ways else None,
                )
            )  # fmt: skip
    return found


def largest_factor(fleet: Fleet, candidates: Sequence[Candidate], clock: Clock) -> float:
    """Return the multiple of its load that sizing says a fleet carries; placement could lower it a little."""
    # Only whether all is served is asked, not at what price.
    only_served = replace(fleet, goals=("unserved_demand",))

    def carries(factor: float) -> bool:
        problem = SizingProblem(fleet=_scaled(only_served, factor), candidates=tuple(candidates))
        return solve_sizing(problem, clock.solve_options("headroom")).covers_demand

    low, high = 0.0, 1.0
    while carries(high) and high < MOST_GROWTH:
        low, high = high, 2 * high
    if high > MOST_GROWTH:
        return MOST_GROWTH
    for _ in range(HALVINGS):
        if clock.is_cancelled:
            break
        middle = (low + high) / 2
        low, high = (middle, high) if carries(middle) else (low, middle)
    return low
