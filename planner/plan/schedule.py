"""What a plan says about the fleet's periods: how many instances of which kind run when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from planner.plan.instance import STRICT, Role

__all__ = ["InstanceCount", "PeriodPlan", "Schedule"]


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
