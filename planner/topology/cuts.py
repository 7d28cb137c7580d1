"""What sizing learns where links cannot carry the KV caches of its counts."""

from __future__ import annotations

from dataclasses import replace

from planner.sizing.problem import SizingProblem
from planner.topology.flows import USABLE, cache_bytes

__all__ = ["spare_links"]


def spare_links(problem: SizingProblem, workload: str, pool: str) -> SizingProblem:
    """Return the problem with less of a workload apart in the zone of a pool.

    First no instance is given more than the links of its node carry, so that there are enough of them on
    enough nodes. Where that is so already, the workload is not served apart in that zone.
    """
    fleet = problem.fleet
    zone, size = fleet.pool(pool).zone, cache_bytes(fleet, workload)
    mine = {
        index
        for index, c in enumerate(problem.candidates)
        if (c.workload, c.zone) == (workload, zone) and c.role != "mixed"
    }
    candidates = list(problem.candidates)
    for index in mine:
        network = fleet.pool(candidates[index].pool).network
        if network is None:
            continue
        most = network.node.bandwidth_bytes_per_s * USABLE / size
        if candidates[index].capacity_per_s > most * (1 + 1e-9):
            candidates[index] = replace(
                candidates[index],
                capacity_per_s=most,
                limit="network",
                reason=f"the links of its node carry the KV caches of {most:.3g} requests per second",
            )
    if tuple(candidates) != problem.candidates:
        return replace(problem, candidates=tuple(candidates))
    return replace(problem, barred=problem.barred | mine)
