"""What a plan says about the fleet's periods: how many instances of which kind run when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from planner.plan.instance import STRICT, Role

__all__ = ["Change", "InstanceCount", "PeriodPlan", "RoleRatio", "Schedule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceCount:
    """Instances of one kind."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    workload: str
    """Workload they serve."""
    role: Role
    """Which phases they serve."""
    pool: str
    """Pool their GPUs come from."""
    tensor_parallel_size: int
    """GPUs that share each layer."""
    pipeline_parallel_size: int
    """Consecutive groups of layers."""
    data_parallel_size: int = 1
    """Replicas of the attention that share the experts."""
    expert_parallel_size: int = 1
    """Groups of GPUs that the experts are dealt to."""
    instances: int
    """How many."""
    change: int
    """How many more (or fewer) than in the period before; in the first of no day, none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRatio:
    """How a workload's GPUs are divided between prefill and decode instances."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    workload: str
    """Workload that is served apart, in whole or in part."""
    prefill: int
    """Prefill instances."""
    decode: int
    """Decode instances."""
    prefill_gpus: int
    """GPUs of the former."""
    decode_gpus: int
    """GPUs of the latter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of instances of one model on one pool at the beginning of a period."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    kind: Literal["role_switch", "reshard", "start", "stop"]
    """Same weights in the same cut for another role or workload; the same model in another cut (with what it
    takes beside); from nothing; to nothing."""
    model: str
    """Model whose weights they hold."""
    pool: str
    """Pool their GPUs come from."""
    before: tuple[str, ...]
    """What ends: ``2 × chat decode TP2``; empty for ``start``."""
    after: tuple[str, ...]
    """What begins; empty for ``stop``."""
    cost: float
    """Price of the GPUs for the time that they do not serve."""
    saves_per_hour: float | None = None
    """For ``reshard``: what the period would cost more in an hour with the cuts of the period before; None
    where that was not asked, or those cuts cannot serve it."""
    payback_s: float | None = None
    """``cost / saves_per_hour``: how long the new cuts must be of use to pay for the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodPlan:
    """One period."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    period: int
    """Index, from 0."""
    placed: bool
    """Whether this is the period whose instances the plan places; the others are sized only."""
    cost_per_hour: float
    """Price of an hour: GPUs in use, and reserved ones."""
    gpus_used: int
    """GPUs in use, over all pools."""
    unserved_share: float
    """Sum over the workloads of the share of demand that is not served."""
    counts: tuple[InstanceCount, ...]
    """What runs."""
    ratios: tuple[RoleRatio, ...] = ()
    """Prefill against decode, of the workloads that are served apart."""
    changes: tuple[Change, ...] = ()
    """What it takes to get here from the period before; in the first of no day, nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All periods, and what they cost together."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    period_length_s: float
    """Length of each period."""
    cost: float
    """Price of all periods, with the delay of what starts between them."""
    bound: float | None
    """No schedule that serves as much costs less; None when unproven."""
    gap: float | None
    """``(cost − bound) / cost``."""
    periods: tuple[PeriodPlan, ...]
    """In order."""
