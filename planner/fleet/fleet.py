"""A fleet as the planner sees it: names resolved, units converted, files read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from models.architecture import Architecture
from models.hardware import Gpu
from models.workload import LengthDistribution

__all__ = ["Fleet", "Goal", "Parallelism", "Policies", "Pool", "ServedModel", "ServedWorkload", "Target"]

Goal = Literal["unserved_demand", "cost", "gpus", "movement"]


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
        In any currency, the same for all pools.
    """

    name: str
    gpu: Gpu
    nodes: int
    gpus_per_node: int
    racks: int
    zone: str
    price_per_gpu_hour: float

    @property
    def gpus(self) -> int:
        """GPUs in the pool."""
        return self.nodes * self.gpus_per_node

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """A model to serve.

    Parameters
    ----------
    repository
        What the engine loads: a Hugging Face repository or a path.
    weights, kv_cache
        Precisions, by the names of `models.architecture.precision`.
    max_model_len
        Longest request in tokens; None: the longest of its workloads.
    """

    name: str
    architecture: Architecture
    repository: str
    weights: str
    kv_cache: str
    engine: str
    max_model_len: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A latency that a share of the requests must not exceed.

    Parameters
    ----------
    percentile
        0 to 100.
    limit_ms
        Milliseconds.
    """

    percentile: float
    limit_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedWorkload:
    """Requests for one model with latency targets.

    Parameters
    ----------
    rate_per_s
        Mean arrival rate, scale included, headroom not.
    priority
        1 is served first when supply is short.
    lengths_source
        Where lengths (and the rate, for a trace) come from.
    """

    name: str
    model: str
    rate_per_s: float
    lengths: LengthDistribution
    ttft: Target
    tpot: Target
    priority: int
    lengths_source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """Degrees the planner may use, ascending."""

    tensor: tuple[int, ...]
    pipeline: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """Rules for every workload.

    Parameters
    ----------
    loss_of
        Demand must still be served within its targets after any one node, rack or zone is lost; None: no
        such rule.
    headroom
        Share by which planned demand exceeds the stated rate.
    roles
        ``mixed`` instances, and ``disaggregated`` pairs of prefill and decode instances.
    shortage
        What to do when supply cannot carry the demand: ``refuse``, or ``serve_what_fits`` by priority.
    """

    loss_of: Literal["node", "rack", "zone"] | None
    headroom: float
    parallelism: Parallelism
    roles: tuple[Literal["mixed", "disaggregated"], ...]
    shortage: Literal["refuse", "serve_what_fits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """A whole fleet document.

    Parameters
    ----------
    goals
        Most important first.
    self_contained
        The document as canonical JSON with every file it refers to written into it: reading this text
        anywhere gives an equal fleet.
    digest
        SHA-256 of `self_contained`, hexadecimal.
    """

    name: str
    pools: tuple[Pool, ...]
    models: tuple[ServedModel, ...]
    workloads: tuple[ServedWorkload, ...]
    policies: Policies
    goals: tuple[Goal, ...]
    self_contained: str
    digest: str

    def model(self, name: str) -> ServedModel:
        """Return the model of that name."""
        return next(model for model in self.models if model.name == name)

    def pool(self, name: str) -> Pool:
        """Return the pool of that name."""
        return next(pool for pool in self.pools if pool.name == name)

    def workload(self, name: str) -> ServedWorkload:
        """Return the workload of that name."""
        return next(workload for workload in self.workloads if workload.name == name)
