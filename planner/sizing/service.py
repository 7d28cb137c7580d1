r"""How much of each workload is served, in whole and after any loss the policy names.

With capacities ``r[c]`` and a loss policy over the ``U`` nodes or racks of a pool,

    lost[c]   = r[c] · ceil(n[c] · groups[c] / U)            what one of them takes down, evenly spread
    alive     = r · n − lost where c's pool is the one hit, else r · n
    served[w] = Σ mixed alive + Σ_zones min(Σ prefill alive, Σ decode alive)
    unserved  = max over hits of (1 − served / demand)⁺

A hit is a pool, or with ``loss_of: zone`` a zone, of which everything is lost.
"""

from __future__ import annotations

import numpy as np

from models.graph import Node
from models.graph.ops import Ceiling, Maximum, Minimum, Onto, PositivePart
from planner.candidates.candidate import Candidate
from planner.sizing.columns import Columns
from planner.sizing.problem import failure_units

__all__ = ["shortfalls", "unserved_shares"]


def shortfalls(columns: Columns) -> list[Node]:
    """``1 − served / demand`` over the workloads, for each hit; negative where there is more than enough."""
    builder = columns.builder
    demand = np.array([columns.problem.demand_per_s(w.name) for w in columns.fleet.workloads])
    # A workload without demand in this period is served.
    inverse = np.divide(1.0, demand, out=np.zeros_like(demand), where=demand > 0)
    wanted = (demand > 0).astype(np.float64)
    return [builder.affine([(_served(columns, hit), -inverse)], wanted) for hit in _hits(columns)]


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


def _served(columns: Columns, hit: str | None) -> Node:
    """Requests per second that each workload is served when one node, rack or zone of `hit` is lost."""
    builder = columns.builder
    rates = columns.each(lambda c: c.capacity_per_s)
    alive = columns.weighted(rates)
    loss_of = columns.fleet.policies.loss_of
    if loss_of == "zone" and hit is not None:
        alive = columns.weighted(rates * columns.each(lambda c: float(c.zone != hit)))
    elif hit is not None:
        struck = columns.each(lambda c: float(c.pool == hit))
        alive = builder.affine([(alive, 1.0), (_groups_a_unit(columns), -rates * struck)])
    names = [workload.name for workload in columns.fleet.workloads]
    mixed = columns.onto("workload", names, lambda c: c.workload if c.role == "mixed" else None)
    parts = [builder.total(alive, mixed)]
    pairs = sorted({(c.workload, c.zone) for c in columns.candidates if c.role != "mixed"})
    if pairs:
        prefill, decode = (
            builder.total(
                alive,
                columns.onto(
                    "workload and zone",
                    pairs,
                    lambda c, role=role: (c.workload, c.zone) if c.role == role else None,  # type: ignore[misc]
                ),
            )
            for role in ("prefill", "decode")
        )
        both = builder.node(Minimum(), prefill, decode)
        index = np.array([names.index(workload) for workload, _ in pairs], np.int64)
        parts.append(builder.total(both, Onto("map", index, mixed.target)))
    return builder.affine([(part, 1.0) for part in parts])


def _groups_a_unit(columns: Columns) -> Node:
    """Groups of each candidate on the fullest node (or rack), evenly spread."""
    policy = columns.fleet.policies.loss_of
    share = np.zeros(len(columns.candidates))
    for index, candidate in enumerate(columns.candidates):
        units = failure_units(columns.fleet.pool(candidate.pool), policy)
        assert units is not None
        share[index] = min(1.0, columns.problem.unevenness.get(index, 1) * candidate.groups / units)
    rounded = columns.builder.node(Ceiling(), columns.weighted(share))
    most = columns.most
    if most is None:
        return rounded
    # One instance takes a unit down with it, so up to `most` instances the relaxation may not take less than
    # the share of them that there are: where a demand needs few instances, that is close to the whole one.
    steeper = columns.weighted(np.where(share > 0, np.maximum(share, 1.0 / np.maximum(most, 1.0)), 0.0))
    return columns.builder.node(Maximum(), rounded, steeper)
