"""What a reader should know about distances and links before trusting a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from planner.fleet.fleet import Fleet
from planner.plan.instance import Instance
from planner.topology.flows import has_network
from planner.topology.regions import is_away, round_trip_ms

__all__ = ["network_notes"]


def network_notes(fleet: Fleet, instances: Sequence[Instance]) -> Iterator[str]:
    """Instances outside of their users' region; how a router must pair prefill with decode."""
    away = Counter(
        (instance.workload, instance.pool)
        for instance in instances
        if is_away(fleet, fleet.workload(instance.workload), fleet.pool(instance.pool))
    )
    for (workload, pool), count in sorted(away.items()):
        served = fleet.workload(workload)
        where = fleet.topology.region_of(fleet.pool(pool).zone)
        yield (
            f"{count} of the instances of {workload} are in {where}, "
            f"{round_trip_ms(fleet, served, fleet.pool(pool)):g} ms there and back from {served.region}"
        )
    if has_network(fleet) and any(instance.role != "mixed" for instance in instances):
        yield (
            "the links carry the KV caches when a router pairs prefill instances with decode instances of "
            "their node first, then of their rack, then of their zone"
        )
