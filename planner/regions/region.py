"""Regions of a fleet: its zones, which prefill and decode instances of a workload never leave."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from planner.fleet.fleet import Fleet

__all__ = ["Region", "regional_fleet", "regions_of", "why_whole"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The pools of a zone, in document order."""

    name: str
    pools: tuple[str, ...]


def regions_of(fleet: Fleet) -> tuple[Region, ...]:
    """The zones of the fleet, in the order of their first pools."""
    zones: dict[str, list[str]] = {}
    for pool in fleet.pools:
        zones.setdefault(pool.zone, []).append(pool.name)
    return tuple(Region(name=zone, pools=tuple(pools)) for zone, pools in zones.items())


def why_whole(fleet: Fleet) -> str | None:
    """Why a fleet cannot be planned by regions, as a sentence; None when it can."""
    if len({pool.zone for pool in fleet.pools}) < 2:
        return "it has one zone"
    if len(fleet.workloads) < 2:
        return "it has one workload"
    if fleet.policies.loss_of == "zone":
        return "a workload that survives the loss of a zone lives in several"
    if fleet.policies.shortage != "refuse":
        return "who goes short is decided among all workloads"
    if fleet.policies.placement_limits:
        return "its placement limits hold for the whole fleet"
    if fleet.periods is not None:
        return "its periods are sized for the whole fleet"
    return None


def regional_fleet(fleet: Fleet, region: Region, workloads: Collection[str]) -> Fleet:
    """The fleet of a region that serves some of the workloads, and no others."""
    served = tuple(workload for workload in fleet.workloads if workload.name in workloads)
    models = {workload.model for workload in served}
    return replace(
        fleet,
        pools=tuple(pool for pool in fleet.pools if pool.name in region.pools),
        models=tuple(model for model in fleet.models if model.name in models),
        workloads=served,
    )
