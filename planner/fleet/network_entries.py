"""``pools[].network``, ``topology``, ``workloads[].regions``: links, regions, where requests come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from models.document.reader import Path
from models.errors import UnknownName
from planner.fleet.entries import Bandwidth, Duration, Entry, Name, Share, Text
from planner.fleet.fleet import ServedWorkload
from planner.fleet.network import Link, Network, Region, RegionLink, Topology

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = [
    "LinkEntry", "NetworkEntry", "RegionEntry", "RegionLinkEntry", "TopologyEntry", "by_region", "network_of",
    "topology_of",
]  # fmt: skip


class LinkEntry(Entry):
    """A link."""

    bandwidth: Bandwidth
    """In each direction."""
    latency: Duration = 0.0
    """One way."""


class NetworkEntry(Entry):
    """Links that KV caches take from prefill to decode instances."""

    node: LinkEntry
    """Of each node into its rack: all its network cards together."""
    rack: LinkEntry | None = None
    """Of each rack into its zone; default: no narrower than its nodes."""


class RegionEntry(Entry):
    """Zones that are near each other and near the users there."""

    name: Name
    """Unique among the regions."""
    zones: list[Name] = Field(min_length=1)
    """Zones of the pools; each is in one region."""


class RegionLinkEntry(Entry):
    """How far two regions are apart."""

    regions: list[Text] = Field(min_length=2, max_length=2)
    """The two."""
    round_trip: Duration
    """There and back; a request without a link of its own takes the shortest way over others."""


class TopologyEntry(Entry):
    """Regions and what is between them."""

    regions: list[RegionEntry] = Field(min_length=1)
    """All zones of the pools, by region."""
    links: list[RegionLinkEntry] = Field(default=[])
    """Between regions; two that no way connects never serve each other's requests."""


def network_of(entry: NetworkEntry | None) -> Network | None:
    """Return the links of a pool."""
    if entry is None:
        return None

    def link(stated: LinkEntry) -> Link:
        return Link(bandwidth_bytes_per_s=stated.bandwidth, latency_ms=stated.latency)

    return Network(node=link(entry.node), rack=None if entry.rack is None else link(entry.rack))


def topology_of(resolver: Resolver, entry: TopologyEntry | None) -> Topology:
    """Return regions and links; mistakes are noted with `resolver`."""
    if entry is None:
        return Topology()
    zones = list(dict.fromkeys(pool.zone for pool in resolver.entry.pools))
    names = [region.name for region in entry.regions]
    seen: set[str] = set()
    for index, region in enumerate(entry.regions):
        at: Path = ("topology", "regions", index)
        if region.name in names[:index]:
            resolver.fail(f"a second region named {region.name!r}", (*at, "name"))
        for position, zone in enumerate(region.zones):
            where = (*at, "zones", position)
            if zone not in zones:
                resolver.violations.append(UnknownName("zone", zone, zones, path=where, **resolver.at(where)))
            elif zone in seen:
                resolver.fail(f"zone {zone!r} is in a region already", where)
            seen.add(zone)
    if missing := [zone for zone in zones if zone not in seen]:
        resolver.fail(f"in no region: zone {', '.join(missing)}", ("topology", "regions"))
    pairs = [frozenset(link.regions) for link in entry.links]
    for index, given in enumerate(entry.links):
        at = ("topology", "links", index, "regions")
        for position, name in enumerate(given.regions):
            _known(resolver, name, names, (*at, position))
        if len(pairs[index]) < 2 or pairs[index] in pairs[:index]:
            resolver.fail("two different regions, each pair once", at)
    return Topology(
        regions=tuple(Region(name=region.name, zones=tuple(region.zones)) for region in entry.regions),
        links=tuple(
            RegionLink(regions=(link.regions[0], link.regions[1]), round_trip_ms=link.round_trip)
            for link in entry.links
        ),
    )


def by_region(
    resolver: Resolver, workload: ServedWorkload, shares: Mapping[str, Share] | None, path: Path
) -> Sequence[ServedWorkload]:
    """Return the workload, or its part of each region that its requests come from: ``chat.eu``.

    Each part is served by instances of its own. Mistakes are noted with `resolver`.
    """
    if shares is None:
        return [workload]
    entry = resolver.entry.topology
    known = [] if entry is None else [region.name for region in entry.regions]
    if not known:
        resolver.fail("regions are stated in topology, and there is none", path)
        return [workload]
    for name in shares:
        _known(resolver, name, known, (*path, name))
    total = sum(shares.values())
    if abs(total - 1.0) > 1e-6 or min(shares.values(), default=0.0) <= 0:
        resolver.fail(f"shares above 0 that add up to 100%, got {total:.4%}", path)
    return list(_parts(workload, shares))


def _parts(workload: ServedWorkload, shares: Mapping[str, float]) -> Iterator[ServedWorkload]:
    for region, share in shares.items():
        yield replace(
            workload,
            name=f"{workload.name}.{region}",
            region=region,
            tenant=workload.tenant,
            rate_per_s=workload.rate_per_s * share,
            period_rates_per_s=tuple(rate * share for rate in workload.period_rates_per_s),
        )


def _known(resolver: Resolver, name: str, known: Sequence[str], path: Path) -> None:
    if name not in known:
        resolver.violations.append(UnknownName("region", name, known, path=path, **resolver.at(path)))
