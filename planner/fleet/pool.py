"""Equal nodes of one GPU type."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass

from models.hardware import Gpu
from planner.fleet.network import Network
from planner.fleet.speeds import WeightSource

__all__ = ["Pool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Equal nodes of one GPU type.

    Parameters
    ----------
    racks
        Racks the nodes are spread over, in blocks of nearly equal size.
    zone
        Failure and network domain; prefill and decode instances of one workload share a zone.
    price_per_gpu_hour
        Of GPUs in use, in any currency, the same for all pools.
    unavailable
        Indices of nodes that are out of service.
    reserved_gpus, reserved_price_per_gpu_hour
        So many GPUs are paid for at that price, used or not; only those beyond cost `price_per_gpu_hour`.
    availability
        Share of the time that an instance serves: below 1 for spot GPUs, which their owner takes back.
    gpu_watts, pool_limit_watts, rack_limit_watts
        Power of a GPU in use, and most that those of the pool and of a rack may draw; None: no such limit.
    network
        Links of its nodes and racks; None: not stated, see `planner.fleet.network.HANDOVER`.
    gpu_parts, part_slowdown, part_models
        Equal parts of a GPU, each for an instance of its own: every count of GPUs of the pool, its price and
        power are then those of parts. How many times longer steps take there, and the models that may run
        on parts (None: all).
    weights_from
        Where a node reads weights that it loads; empty: a local disk of `planner.fleet.speeds`.
    """

    name: str
    gpu: Gpu
    nodes: int
    gpus_per_node: int
    racks: int
    zone: str
    price_per_gpu_hour: float
    unavailable: tuple[int, ...] = ()
    reserved_gpus: int = 0
    reserved_price_per_gpu_hour: float = 0.0
    availability: float = 1.0
    gpu_watts: float = 0.0
    pool_limit_watts: float | None = None
    rack_limit_watts: float | None = None
    network: Network | None = None
    gpu_parts: int = 1
    part_slowdown: float = 1.0
    part_models: frozenset[str] | None = None
    weights_from: tuple[WeightSource, ...] = ()

    @property
    def gpus(self) -> int:
        """GPUs in the pool that are in service."""
        return self.nodes_in_service * self.gpus_per_node

    @property
    def nodes_in_service(self) -> int:
        """Nodes that can be used."""
        return self.nodes - len(self.unavailable)

    @property
    def racks_in_service(self) -> int:
        """Racks that have a node in service."""
        return len(_nodes_by_rack(self.nodes, self.racks, self.unavailable))

    @property
    def usable_gpus(self) -> int:
        """GPUs that may be in use at once: those in service, within the power budgets."""
        usable = self.gpus
        if self.pool_limit_watts is not None:
            usable = min(usable, int(self.pool_limit_watts / self.gpu_watts + 1e-9))
        if self.rack_limit_watts is not None:
            nodes = _nodes_by_rack(self.nodes, self.racks, self.unavailable)
            a_rack = int(self.rack_limit_watts / self.gpu_watts + 1e-9)
            usable = min(usable, sum(min(count * self.gpus_per_node, a_rack) for count in nodes.values()))
        return usable

    def cost_per_hour(self, gpus: float) -> float:
        """Price of an hour in which so many GPUs are in use."""
        beyond = max(0.0, gpus - self.reserved_gpus)
        return self.reserved_gpus * self.reserved_price_per_gpu_hour + beyond * self.price_per_gpu_hour

    def rack_of(self, node: int) -> int:
        """Rack of the node with that index."""
        return node * self.racks // self.nodes

    def node_name(self, node: int) -> str:
        """``pool/rack/node``, zero-padded so that names sort as the nodes are numbered."""
        rack_width, node_width = len(str(self.racks - 1)), len(str(self.nodes - 1))
        return f"{self.name}/r{self.rack_of(node):0{rack_width}}/n{node:0{node_width}}"

    def node_index(self, name: str) -> int:
        """Index of the node with that name; -1 where the pool has no such node."""
        digits = name.rpartition("/n")[2]
        node = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1
        return node if 0 <= node < self.nodes and self.node_name(node) == name else -1


@functools.lru_cache(maxsize=256)
def _nodes_by_rack(nodes: int, racks: int, unavailable: tuple[int, ...]) -> Counter[int]:
    """Nodes in service of each rack that has any."""
    down = set(unavailable)
    return Counter(node * racks // nodes for node in range(nodes) if node not in down)
