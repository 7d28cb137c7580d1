"""How much KV cache crosses which links, once instances have nodes.

Every prefill instance hands its caches to decode instances of its workload and zone, nearest first: on its
node, then in its rack, then in the zone. On such a tree that puts the least on every link at once, for all
workloads together (what a group of instances makes and does not take itself must leave, however it is
routed), so that flows can be routed exactly when these loads keep the bandwidths.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet, Pool
from planner.loads import served_rate
from planner.placement.tenant import Tenant

__all__ = ["USABLE", "Load", "Placed", "cache_bytes", "has_network", "kv_flows", "link_loads"]

USABLE = 0.8
"""Share of a link's bandwidth that is planned with: caches leave in bursts, as prompts end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A prefill or decode instance with its node.

    Parameters
    ----------
    bytes_per_s
        Of caches: above 0 sent, below 0 received.
    """

    name: str
    workload: str
    pool: str
    rack: int
    node: int
    bytes_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What crosses a link in the direction that has more."""

    link: str
    bytes_per_s: float
    bandwidth_bytes_per_s: float

    @property
    def share(self) -> float:
        """Of its bandwidth."""
        return self.bytes_per_s / self.bandwidth_bytes_per_s


def has_network(fleet: Fleet) -> bool:
    """Whether any pool states its links."""
    return any(pool.network is not None for pool in fleet.pools)


def cache_bytes(fleet: Fleet, workload: str) -> float:
    """Mean size of the cache that a request of a workload hands over."""
    served = fleet.workload(workload)
    model = fleet.model(served.model)
    return model.architecture.kv_cache_bytes_per_token(model.kv_cache) * served.lengths.mean_input_tokens


def kv_flows(fleet: Fleet, tenants: Sequence[Tenant], candidates: Sequence[Candidate]) -> dict[str, float]:
    """Bytes per second that each prefill instance sends and each decode instance receives (below 0), by name.

    At the demand with headroom; the work of a zone is divided by the capacities of its instances.
    """
    flows: dict[str, float] = {}
    of_workload: dict[str, list[Tenant]] = defaultdict(list)
    for tenant in tenants:
        of_workload[candidates[tenant.candidate].workload].append(tenant)
    for name, mine in of_workload.items():
        if all(candidates[tenant.candidate].role == "mixed" for tenant in mine):
            continue
        demand = fleet.workload(name).rate_per_s * (1 + fleet.policies.headroom)
        total = served_rate(candidates[tenant.candidate] for tenant in mine)
        size = cache_bytes(fleet, name)
        sides: dict[tuple[str, str], list[Tenant]] = defaultdict(list)
        for tenant in mine:
            candidate = candidates[tenant.candidate]
            if candidate.role != "mixed":
                sides[candidate.zone, candidate.role].append(tenant)
        for (zone, role), side in sides.items():
            pair = [candidates[t.candidate] for r in ("prefill", "decode") for t in sides.get((zone, r), ())]
            load = min(1.0, demand / total) if total > 0 else 0.0
            sent = served_rate(pair) * load * size * (1.0 if role == "prefill" else -1.0)
            whole = sum(candidates[tenant.candidate].capacity_per_s for tenant in side)
            for tenant in side:
                flows[tenant.name] = sent * candidates[tenant.candidate].capacity_per_s / whole
    return flows


def link_loads(pools: Iterable[Pool], placed: Iterable[Placed]) -> tuple[Load, ...]:
    """The load of every node's and rack's link that carries anything, of pools that state their links."""
    networks = {pool.name: pool.network for pool in pools}
    known = [each for each in placed if networks.get(each.pool) is not None]
    loads = []
    for what, key in _levels().items():
        for (pool, index), net in sorted(_net(known, key).items()):
            network = networks[pool]
            assert network is not None
            link = network.node if what == "node" else network.rack
            out = sum(max(value, 0.0) for value in net.values())
            into = sum(max(-value, 0.0) for value in net.values())
            if link is not None and max(out, into) > 0:
                loads.append(
                    Load(
                        link=f"{what} {index} of {pool}",
                        bytes_per_s=max(out, into),
                        bandwidth_bytes_per_s=link.bandwidth_bytes_per_s,
                    )
                )
    return tuple(loads)


def _levels() -> Mapping[str, Callable[[Placed], tuple[str, int]]]:
    return {"node": lambda each: (each.pool, each.node), "rack": lambda each: (each.pool, each.rack)}


def _net(
    placed: Iterable[Placed], key: Callable[[Placed], tuple[str, int]]
) -> dict[tuple[str, int], dict[str, float]]:
    """What each place makes and does not take itself, by place and workload."""
    net: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for each in placed:
        net[key(each)][each.workload] += each.bytes_per_s
    return net
