"""A fleet as the planner sees it: names resolved, units converted, files read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models.architecture import Architecture
from models.workload import Burstiness, LengthDistribution
from models.workload.arrivals import LEAST_RATE_PER_S
from planner.fleet.adapters import Adapters
from planner.fleet.network import Topology
from planner.fleet.pool import Pool
from planner.fleet.recorded import Recorded
from planner.fleet.speculative import Speculative
from planner.fleet.speeds import Speeds
from specs import LimitSpec

__all__ = [
    "Fleet",
    "Forbidden",
    "Goal",
    "Parallelism",
    "Periods",
    "PlacementLimit",
    "Policies",
    "Pool",
    "ServedModel",
    "ServedWorkload",
    "Target",
]

Goal = Literal["unserved_demand", "cost", "gpus", "movement"]


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
    speculative
        How it speculates; None: it makes one token a step.
    """

    name: str
    architecture: Architecture
    repository: str
    weights: str
    kv_cache: str
    engine: str
    max_model_len: int | None
    speculative: Speculative | None = None


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
    tenant
        Whose requests these are; tenants of one priority share a shortage fairly.
    period_rates_per_s
        The rate in each of the fleet's periods; empty without periods. `rate_per_s` is that of the period
        the plan is placed for.
    region
        Where its requests come from; "": everywhere, at no distance.
    adapters
        LoRA adapters that its requests ask for; None: the base model alone.
    burstiness
        Shape of the gamma law of the gaps between its arrivals; 1 is Poisson.
    reuse, reuse_source
        Share of each prompt that an instance finds in its prefix cache, and where that is from.
    recorded
        The trace it was read from, for verification; the self-contained document does not hold a long one.
    """

    name: str
    model: str
    rate_per_s: float
    lengths: LengthDistribution
    ttft: Target
    tpot: Target
    priority: int
    lengths_source: str
    tenant: str = ""
    period_rates_per_s: tuple[float, ...] = ()
    region: str = ""
    adapters: Adapters | None = None
    burstiness: float = 1.0
    reuse: float = 0.0
    reuse_source: str = ""
    recorded: Recorded | None = field(default=None, compare=False, repr=False)

    def arrivals(self, slowdown: float = 1.0) -> Burstiness:
        """Its arrivals, as an engine sees them that takes so many times longer for everything."""
        return Burstiness(shape=self.burstiness, rate_per_s=max(self.rate_per_s * slowdown, LEAST_RATE_PER_S))


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """Equal parts of a day or of a trace.

    Parameters
    ----------
    length_s
        Seconds of each.
    placed
        Index of the period that is placed on nodes; the others are sized.
    start_delay_s
        Seconds an instance that starts between two periods is paid for before it serves.
    role_switch_s, reshard_s
        The same where its GPUs held the same weights in the same cut for another role, and where they held
        the same model in another cut; None: as the next longer one. ``role_switch_s ≤ reshard_s ≤
        start_delay_s``.
    """

    count: int
    length_s: float
    placed: int
    start_delay_s: float
    role_switch_s: float | None = None
    reshard_s: float | None = None

    @property
    def delays_s(self) -> tuple[float, float, float]:
        """Of a role switch, of a change of the cut, of a start."""
        reshard = self.start_delay_s if self.reshard_s is None else self.reshard_s
        return (reshard if self.role_switch_s is None else self.role_switch_s, reshard, self.start_delay_s)

    @property
    def is_a_day(self) -> bool:
        """Whether the periods make up a day, so that the first follows the last."""
        return abs(self.count * self.length_s - 86_400) < 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacementLimit:
    """A limit of the spec language on the placement of pools.

    Parameters
    ----------
    pools
        Names of the pools it holds for; each is placed by itself.
    """

    name: str
    spec: LimitSpec
    pools: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Ways to run that may not be used: those that equal everything that is not None."""

    model: str | None = None
    pool: str | None = None
    role: str | None = None
    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    expert: int | None = None

    def fits(
        self, *, model: str, pool: str, role: str, tensor: int, pipeline: int, data: int, expert: int
    ) -> bool:
        """Whether a way to run is one of these."""
        return (
            self.model in (None, model)
            and self.pool in (None, pool)
            and self.role in (None, role)
            and self.tensor in (None, tensor)
            and self.pipeline in (None, pipeline)
            and self.data in (None, data)
            and self.expert in (None, expert)
        )

    def __str__(self) -> str:
        names = ("model", "pool", "role", "tensor", "pipeline", "data", "expert")
        named = ((name, getattr(self, name)) for name in names)
        return ", ".join(f"{name} {value}" for name, value in named if value is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallelism:
    """What the planner may use.

    Parameters
    ----------
    tensor, pipeline
        Degrees, ascending.
    data, expert
        Of models with experts, ascending; `expert` None: 1, and all GPUs of a stage.
    pipeline_across_nodes
        Whether the stages of an instance may be on different nodes.
    forbidden
        Combinations that are left out.
    """

    tensor: tuple[int, ...]
    pipeline: tuple[int, ...]
    data: tuple[int, ...] = (1,)
    expert: tuple[int, ...] | None = None
    pipeline_across_nodes: bool = True
    forbidden: tuple[Forbidden, ...] = ()

    def expert_degrees(self, stage_gpus: int) -> tuple[int, ...]:
        """Expert-parallel sizes that a stage of so many GPUs can have."""
        if self.expert is None:
            return (1, stage_gpus) if stage_gpus > 1 else (1,)
        return tuple(degree for degree in self.expert if stage_gpus % degree == 0)


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
        What to do when supply cannot carry the demand: ``refuse``, or ``serve_what_fits`` by priority, then
        fairly between tenants.
    keep_free
        Sizes of groups: placement strands as few free GPUs as it can for them, before it spreads services.
    placement_limits
        What placement must keep beside the limits of its own.
    speeds
        How long changes of what runs take.
    spill
        Whether requests are served outside of their region: never, as little as can be, or freely.
    """

    loss_of: Literal["node", "rack", "zone"] | None
    headroom: float
    parallelism: Parallelism
    roles: tuple[Literal["mixed", "disaggregated"], ...]
    shortage: Literal["refuse", "serve_what_fits"]
    keep_free: tuple[int, ...] = ()
    placement_limits: tuple[PlacementLimit, ...] = ()
    speeds: Speeds = field(default_factory=Speeds)
    spill: Literal["never", "when_short", "free"] = "when_short"


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
    periods
        When demand changes; None: one demand for ever.
    topology
        Regions of the zones.
    """

    name: str
    pools: tuple[Pool, ...]
    models: tuple[ServedModel, ...]
    workloads: tuple[ServedWorkload, ...]
    policies: Policies
    goals: tuple[Goal, ...]
    self_contained: str
    digest: str
    periods: Periods | None = None
    topology: Topology = field(default_factory=Topology)

    def model(self, name: str) -> ServedModel:
        """Return the model of that name."""
        return next(model for model in self.models if model.name == name)

    def pool(self, name: str) -> Pool:
        """Return the pool of that name."""
        return next(pool for pool in self.pools if pool.name == name)

    def workload(self, name: str) -> ServedWorkload:
        """Return the workload of that name."""
        return next(workload for workload in self.workloads if workload.name == name)
