"""What a plan achieves, by workload, pool and goal; what it rests on; what must move; why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from planner.plan.instance import STRICT, Stage

__all__ = ["Action", "Basis", "Diagnosis", "Move", "Objective", "PoolUse", "WorkloadOutcome"]

Action = Literal["start", "stop", "move"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadOutcome:
    """How well one workload is served."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    """Workload of the fleet document."""
    demand_per_s: float
    """Requests per second asked for, headroom included."""
    capacity_per_s: float
    """Requests per second the plan can serve within the targets."""
    surviving_capacity_per_s: float
    """The same after the worst loss the policy names; equal to `capacity_per_s` without such a policy."""
    unserved_per_s: float
    """Demand beyond the surviving capacity."""
    ttft_percentile: float
    """Percentile of the TTFT target, 0 to 100."""
    ttft_target_ms: float
    """TTFT target."""
    ttft_ms: float | None
    """Worst predicted TTFT of the instances at that percentile; None when nothing serves the workload."""
    tpot_percentile: float
    """Percentile of the TPOT target, 0 to 100."""
    tpot_target_ms: float
    """TPOT target."""
    tpot_ms: float | None
    """Worst predicted TPOT of the instances at that percentile; None when nothing serves the workload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """How much of one pool the plan takes."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    """Pool of the fleet document."""
    gpu: str
    """Catalogue name of the GPU type."""
    nodes: int
    """Nodes in the pool."""
    gpus_per_node: int
    """GPUs in a node."""
    gpus_used: int
    """GPUs the plan gives out."""
    gpu_parts: int = 1
    """Instances that share a GPU. Above 1, the two counts are those of parts."""
    cost_per_hour: float
    """Price of the GPUs used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One goal tier of one solve, and how far it can be from the best."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    stage: Literal["sizing", "placement"]
    """Which problem the tier belongs to."""
    name: str
    """Tier, in the order of importance within its stage."""
    value: float
    """Value of the plan."""
    bound: float | None
    """No solution of this stage's problem has a lower value, given the tiers before; None when unproven."""
    gap: float | None
    """``(value − bound) / max(|value|, 1e-9)``; at most 1e-4 counts as proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Where a group of numbers comes from."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    what: str
    """The numbers: ``gpu h100-sxm-80gb``."""
    basis: str
    """``measured``, ``imported``, ``datasheet``, ``config`` or ``declared``."""
    source: str
    """Document, repository or file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One change from the current plan."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    action: Action
    """``start`` a new instance, ``stop`` a running one, or ``move`` it to other GPUs."""
    instance: str
    """Instance name, in the new plan or, for ``stop``, in the current one."""
    from_stages: tuple[Stage, ...]
    """Where it runs today; empty for ``start``."""
    to_stages: tuple[Stage, ...]
    """Where it will run; empty for ``stop``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Why there is no plan, and what would make one."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    limit: Literal["memory", "shape", "ttft", "tpot", "supply", "survive", "network"]
    """The kind of limit that binds."""
    subject: str
    """Workload or pool it binds."""
    message: str
    """One sentence naming the limit with its figures."""
    closest: str
    """The closest thing that would work."""
