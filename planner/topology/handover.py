"""The way of a KV cache from a prefill instance to a decode instance, before anything is placed.

An instance has its GPUs' share of the node's network cards. Which decode instance takes a cache is not known
yet, so the way is the longest (across racks) and the receiver the narrowest (one GPU): the placed instances
are never slower.
"""

from __future__ import annotations

from planner.fleet.fleet import Fleet, Pool
from planner.fleet.network import HANDOVER, Link

__all__ = ["assumed_handover", "between"]


def assumed_handover(fleet: Fleet, pool: Pool, gpus: int) -> Link:
    """What a prefill instance of so many GPUs on a pool can count on, wherever its caches go."""
    receivers = [other for other in fleet.pools if other.zone == pool.zone]
    ways = [between(pool, gpus, receiver, 1, "zone") for receiver in receivers]
    return Link(
        bandwidth_bytes_per_s=min(way.bandwidth_bytes_per_s for way in ways),
        latency_ms=max(way.latency_ms for way in ways),
    )


def between(sender: Pool, gpus: int, receiver: Pool, receiving_gpus: int, within: str) -> Link:
    """The way from GPUs of one pool to GPUs of another (or the same): inside a node, a rack or a zone.

    Inside a node caches take the GPUs' own links. A pool without a stated network has `HANDOVER` for each
    instance.
    """
    if within == "node" and sender.network is not None:
        most = min(gpus, receiving_gpus) * sender.gpu.link_bandwidth_bytes_per_s
        return Link(bandwidth_bytes_per_s=most)
    widths, latency = [], 0.0
    for pool, count in ((sender, gpus), (receiver, receiving_gpus)):
        network = pool.network
        if network is None:
            widths.append(HANDOVER.bandwidth_bytes_per_s)
            continue
        widths.append(network.node.bandwidth_bytes_per_s * count / pool.gpus_per_node)
        latency += network.node.latency_ms
        if within == "zone" and network.rack is not None:
            widths.append(network.rack.bandwidth_bytes_per_s)
            latency += network.rack.latency_ms
    return Link(bandwidth_bytes_per_s=min(widths), latency_ms=latency)
