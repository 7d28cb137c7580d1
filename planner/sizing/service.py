r"""How much of each workload is served, in whole and after any loss the policy names.

With capacities ``r[c]`` and a loss policy over the ``U`` nodes or racks of a pool,

    lost[c]   = r[c] · ceil(n[c] · groups[c] / U)            what one of them takes down, evenly spread
    alive     = r · n − lost where c's pool is the one hit, else r · n
    served[w] = Σ mixed alive + Σ_zones min(Σ prefill alive, Σ decode alive)
    unserved  = max over hits of (1 − served / demand)⁺

A hit is a pool, or with ``loss_of: zone`` a zone, of which everything is lost.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from models.graph import Node
from models.graph.ops import Ceiling, Maximum, Minimum, Onto, PositivePart
from planner.candidates.candidate import Candidate
from planner.sizing.columns import Columns

__all__ = ["shortfalls", "unserved_shares"]


def shortfalls(columns: Columns) -> list[Node]:
    """``1 − served / demand`` over the workloads, for each hit; negative where there is more than enough."""
    builder = columns.builder
    demand = np.array([columns.problem.demand_per_s(w.name) for w in columns.fleet.workloads])
    # A workload without demand in this period is served.
    inverse = np.divide(1.0, demand, out=np.zeros_like(demand), where=demand > 0)
    wanted = (demand > 0).astype(np.float64)
    served = _Served(columns)
    return [builder.affine([(served.after(hit), -inverse)], wanted) for hit in _hits(columns)]


def unserved_shares(columns: Columns) -> Node:
    """Share of each workload's demand that is not served after the worst loss, over the workloads."""
    builder, short = columns.builder, shortfalls(columns)
    worst = builder.node(Maximum(), *short) if len(short) > 1 else short[0]
    return builder.node(PositivePart(), worst)


def _hits(columns: Columns) -> list[str | None]:
    """Pools or zones that may be hit; None when nothing may be lost."""
    loss_of = columns.fleet.policies.loss_of
    if loss_of is None:
        return [None]
    used = {_domain(c, loss_of) for c in columns.candidates}
    domains = dict.fromkeys(p.zone if loss_of == "zone" else p.name for p in columns.fleet.pools)
    return [domain for domain in domains if domain in used] or [None]


def _domain(candidate: Candidate, loss_of: str) -> str:
    return candidate.zone if loss_of == "zone" else candidate.pool


class _Served:
    """What each workload is served; the maps from candidates are made once for all hits."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self.rates = columns.each(lambda c: c.capacity_per_s)
        names = [workload.name for workload in columns.fleet.workloads]
        self.mixed = columns.onto("workload", names, lambda c: c.workload if c.role == "mixed" else None)
        pairs = sorted({(c.workload, c.zone) for c in columns.candidates if c.role != "mixed"})
        self.sides = [
            columns.onto(
                "workload and zone",
                pairs,
                lambda c, role=role: (c.workload, c.zone) if c.role == role else None,  # type: ignore[misc]
            )
            for role in (("prefill", "decode") if pairs else ())
        ]
        index = np.array([names.index(workload) for workload, _ in pairs], np.int64)
        self.pairs = Onto("map", index, self.mixed.target)

    def after(self, hit: str | None) -> Node:
        """Requests per second of each workload when one node, rack or zone of `hit` is lost."""
        columns, builder = self.columns, self.columns.builder
        alive = columns.weighted(self.rates)
        loss_of = columns.fleet.policies.loss_of
        if loss_of == "zone" and hit is not None:
            alive = columns.weighted(self.rates * columns.each(lambda c: float(c.zone != hit)))
        elif hit is not None:
            struck = columns.each(lambda c: float(c.pool == hit))
            alive = builder.affine([(alive, 1.0), (self._groups_a_unit, -self.rates * struck)])
        parts = [builder.total(alive, self.mixed)]
        if self.sides:
            prefill, decode = (builder.total(alive, side) for side in self.sides)
            parts.append(builder.total(builder.node(Minimum(), prefill, decode), self.pairs))
        return builder.affine([(part, 1.0) for part in parts])

    @cached_property
    def _groups_a_unit(self) -> Node:
        """Groups of each candidate on the fullest node (or rack), evenly spread."""
        columns = self.columns
        share = columns.problem.loss_shares()
        rounded = columns.builder.node(Ceiling(), columns.weighted(share))
        most = columns.most
        if most is None:
            return rounded
        # One instance takes a unit down with it, so up to `most` instances the relaxation may not take less
        # than the share of them that there are: where a demand needs few instances, that is close to the
        # whole one.
        steeper = columns.weighted(np.where(share > 0, np.maximum(share, 1.0 / np.maximum(most, 1.0)), 0.0))
        return columns.builder.node(Maximum(), rounded, steeper)
