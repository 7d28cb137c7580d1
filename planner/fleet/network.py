"""Links between GPUs, nodes, racks and regions, as the fleet document states them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HANDOVER", "Link", "Network", "Region", "RegionLink", "Topology"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link, the same in both directions at once.

    Parameters
    ----------
    bandwidth_bytes_per_s
        In each direction.
    latency_ms
        One way.
    """

    bandwidth_bytes_per_s: float
    latency_ms: float = 0.0


HANDOVER = Link(bandwidth_bytes_per_s=50e9)
"""Of each prefill instance to its decode instances, where no network is stated: a 400 Gbit/s card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Links of a pool; its racks meet those of other pools of the zone without further limits.

    Parameters
    ----------
    node
        Of each node into its rack: all its network cards together.
    rack
        Of each rack into its zone; None: no narrower than its nodes.
    """

    node: Link
    rack: Link | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Zones that are near each other and near the users there."""

    name: str
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionLink:
    """How far two regions are apart, there and back."""

    regions: tuple[str, str]
    round_trip_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Regions and what is between them; both empty where the document states none."""

    regions: tuple[Region, ...] = ()
    links: tuple[RegionLink, ...] = ()

    def region_of(self, zone: str) -> str:
        """Name of the region of a zone; "" without regions."""
        return next((region.name for region in self.regions if zone in region.zones), "")
