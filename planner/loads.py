"""How much each workload can be served, in whole and after a loss: plain arithmetic on placed instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from planner.plan.instance import Role, Stage

__all__ = ["Placed", "Served", "served_rate", "surviving_rate", "unit_of"]


class Served(Protocol):
    """What counts for the rate of a workload: candidates and their copies both have it."""

    @property
    def role(self) -> Role: ...
    @property
    def zone(self) -> str: ...
    @property
    def capacity_per_s(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One instance with its place."""

    role: Role
    zone: str
    capacity_per_s: float
    stages: tuple[Stage, ...]


def served_rate(instances: Iterable[Served]) -> float:
    """Requests per second that instances of one workload serve together.

    Mixed instances add up; of prefill and decode instances of a zone the weaker side counts.
    """
    rate: dict[tuple[str, str], float] = defaultdict(float)
    for instance in instances:
        rate[instance.role, instance.zone] += instance.capacity_per_s
    mixed = sum((value for (role, _), value in rate.items() if role == "mixed"), 0.0)
    zones = sorted({zone for role, zone in rate if role != "mixed"})
    return mixed + sum((min(rate["prefill", zone], rate["decode", zone]) for zone in zones), 0.0)


def surviving_rate(instances: Collection[Placed], loss_of: str | None) -> float:
    """The rate after the worst loss of one node, rack or zone; the whole rate when nothing may be lost."""
    if loss_of is None:
        return served_rate(instances)
    hit: dict[str, list[Placed]] = defaultdict(list)
    for instance in instances:
        for unit in dict.fromkeys(_units(instance, loss_of)):
            hit[unit].append(instance)
    # Losses that take the same leave the same: one of each kind is looked at.
    kinds = {tuple(sorted((i.role, i.zone, i.capacity_per_s) for i in lost)): lost for lost in hit.values()}
    gone = ({id(instance) for instance in lost} for lost in kinds.values())
    return min((served_rate(i for i in instances if id(i) not in lost) for lost in gone), default=0.0)


def _units(instance: Placed, loss_of: str) -> tuple[str, ...]:
    """Nodes, racks or zones whose loss takes an instance down."""
    if loss_of == "zone":
        return (instance.zone,)
    return tuple(unit_of(stage.node, loss_of) for stage in instance.stages)


def unit_of(node: str, loss_of: str) -> str:
    """Node or rack that a node name (``pool/rack/node``) belongs to."""
    return node if loss_of == "node" else node.rsplit("/", 1)[0]
