"""What one more node buys: the load a fleet carries with it, against what it carries today."""

from __future__ import annotations

from dataclasses import dataclass, replace

from planner.candidates.dominance import undominated
from planner.candidates.enumerate import enumerate_candidates
from planner.capacity.fleet_answer import MOST_GROWTH, largest_factor
from planner.clock import Clock
from planner.fleet import Fleet

__all__ = ["OneMore", "PoolGain", "one_more_node"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolGain:
    """The multiple of its load that the fleet carries with one more node of a pool, and that node's price."""

    pool: str
    factor: float
    price_per_hour: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OneMore:
    """The multiple of its load that a fleet carries today (up to `tried`), and with one more node."""

    today: float
    tried: float
    pools: tuple[PoolGain, ...]


def one_more_node(fleet: Fleet, clock: Clock) -> OneMore:
    """Ask sizing how much more the fleet could carry, pool by pool; all policies hold."""
    clock.report("candidates")
    candidates = undominated(enumerate_candidates(fleet).accepted, keep=set())
    clock.report("headroom")
    today = largest_factor(fleet, candidates, clock)
    gains = []
    for pool in fleet.pools:
        clock.report(f"one more node of {pool.name}")
        grown = replace(
            fleet, pools=tuple(replace(p, nodes=p.nodes + 1) if p is pool else p for p in fleet.pools)
        )
        gains.append(
            PoolGain(
                pool=pool.name, factor=max(today, largest_factor(grown, candidates, clock)),
                price_per_hour=pool.gpus_per_node * pool.price_per_gpu_hour,
            )
        )  # fmt: skip
    return OneMore(today=today, tried=MOST_GROWTH, pools=tuple(gains))
