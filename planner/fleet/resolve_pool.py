"""One pool of a fleet document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from models.document.reader import Path
from models.errors import UnknownName
from models.hardware import Gpu
from models.profiles.device import find_gpu
from planner.fleet.network_entries import network_of
from planner.fleet.pool import Pool
from planner.fleet.schema import GpuShareEntry, PoolEntry, PowerEntry
from planner.fleet.speed_entries import weight_sources

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["resolve_pool"]


def resolve_pool(resolver: Resolver, entry: PoolEntry, path: Path) -> Pool | None:
    """Return the pool of an entry, None for an unknown GPU; mistakes are noted with `resolver`."""
    kind: Gpu | None = resolver.attempt(lambda: find_gpu(entry.gpu), (*path, "gpu"))
    if entry.racks > entry.nodes:
        resolver.fail(f"{entry.racks} racks for {entry.nodes} nodes: at most one a node", (*path, "racks"))
    down = tuple(sorted(set(entry.unavailable)))
    if len(down) != len(entry.unavailable) or (down and down[-1] >= entry.nodes):
        resolver.fail(
            f"each index once, from 0 to {entry.nodes - 1}, got {entry.unavailable}",
            (*path, "unavailable"),
        )
    elif len(down) == entry.nodes:
        resolver.fail("all nodes are out of service: leave the pool out instead", (*path, "unavailable"))
    reserved, spot, power = entry.reserved, entry.spot, entry.power or PowerEntry()
    if reserved is not None and reserved.gpus > entry.nodes * entry.gpus_per_node:
        have = entry.nodes * entry.gpus_per_node
        resolver.fail(f"{reserved.gpus} of the {have} GPUs there are", (*path, "reserved", "gpus"))
    if kind is None:
        return None
    watts = power.per_gpu_watts or kind.tdp_watts
    if watts <= 0 and (power.pool_limit_watts or power.rack_limit_watts):
        resolver.fail(f"the power of a {kind.name} is not known: state per_gpu_watts", (*path, "power"))
    # A renewal process: up for 1 / losses on average, then down for the recovery.
    down_hours = 0.0 if spot is None else spot.losses_per_hour * spot.recovery / 3.6e6
    share = entry.share
    parts = share.parts if share is not None else 1
    return Pool(
        name=entry.name,
        gpu=kind,
        nodes=entry.nodes,
        gpus_per_node=entry.gpus_per_node * parts,
        racks=entry.racks,
        zone=entry.zone,
        price_per_gpu_hour=entry.price_per_gpu_hour / parts,
        unavailable=down,
        reserved_gpus=reserved.gpus * parts if reserved else 0,
        reserved_price_per_gpu_hour=reserved.price_per_gpu_hour / parts if reserved else 0.0,
        availability=1.0 / (1.0 + down_hours),
        gpu_watts=watts / parts,
        pool_limit_watts=power.pool_limit_watts,
        rack_limit_watts=power.rack_limit_watts,
        network=network_of(entry.network),
        gpu_parts=parts,
        part_slowdown=1.0 if share is None else share.slowdown or float(parts),
        part_models=_models(resolver, share, (*path, "share", "models")),
        weights_from=weight_sources(resolver, entry.weights_from, (*path, "weights_from")),
    )


def _models(resolver: Resolver, share: GpuShareEntry | None, path: Path) -> frozenset[str] | None:
    """Models that may run on parts; unknown ones are noted with `resolver`."""
    if share is None or share.models is None:
        return None
    known = [model.name for model in resolver.entry.models]
    for index, name in enumerate(share.models):
        if name not in known:
            at = (*path, index)
            resolver.violations.append(UnknownName("model", name, known, path=at, **resolver.at(at)))
    return frozenset(share.models)
