"""How far a workload's users are from a pool."""

from __future__ import annotations

import functools
import math

from planner.fleet.fleet import Fleet, Pool, ServedWorkload
from planner.fleet.network import Topology

__all__ = ["is_away", "round_trip_ms"]


def round_trip_ms(fleet: Fleet, workload: ServedWorkload, pool: Pool) -> float:
    """Milliseconds from the region of a workload to that of a pool and back, over the shortest way.

    0 at home and where no region is stated; infinite where no way connects the two.
    """
    if not is_away(fleet, workload, pool):
        return 0.0
    return _distances(fleet.topology, workload.region).get(fleet.topology.region_of(pool.zone), math.inf)


def is_away(fleet: Fleet, workload: ServedWorkload, pool: Pool) -> bool:
    """Whether a pool is in another region than the requests of a workload come from."""
    return bool(workload.region) and fleet.topology.region_of(pool.zone) != workload.region


@functools.lru_cache(maxsize=256)
def _distances(topology: Topology, region: str) -> dict[str, float]:
    """Shortest round trips from a region, by region."""
    import networkx as nx

    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(each.name for each in topology.regions)
    graph.add_weighted_edges_from((*link.regions, link.round_trip_ms) for link in topology.links)
    found: dict[str, float] = nx.single_source_dijkstra_path_length(graph, region)
    return found
