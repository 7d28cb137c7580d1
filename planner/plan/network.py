"""What a plan says about the KV caches that prefill instances hand to decode instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from planner.plan.instance import STRICT

__all__ = ["KvTransfer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KvTransfer:
    """The caches of one workload in one zone, at the demand with headroom, nearest decode instances first."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    workload: str
    """Workload that is served apart."""
    zone: str
    """Zone of its prefill and decode instances."""
    bytes_per_s: float
    """Caches handed over."""
    within_nodes: float
    """Share of them that never leaves a node."""
    within_racks: float
    """Share of them that never leaves a rack, those included."""
    farthest: Literal["node", "rack", "zone"]
    """How far some of them go."""
    fullest_link: str | None
    """Of the links of its nodes and racks, the one with most of its bandwidth in use (by all workloads); None
    where no link is stated or none is used."""
    fullest_share: float | None
    """Share of the bandwidth of that link that is in use."""
