"""What a simulation of the plan saw: the part of a plan that does not come from the formulas that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from planner.plan.instance import STRICT

__all__ = ["RECORDED", "LatencySpread", "Load", "Replayed", "Verification"]

Load = Literal["stated", "peak", "trace", "trace_peak"]
"""``stated``: the workload's own rate on all instances. ``peak``: demand with headroom on what the worst loss
leaves, the most the plan promises to carry. ``trace``, ``trace_peak``: the same with the recorded requests of
the workload's trace, in its own rhythm, instead of random ones."""
RECORDED: tuple[Load, ...] = ("trace", "trace_peak")
"""Loads whose requests were recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencySpread:
    """One latency over the simulated requests, against its target."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    p50_ms: float
    """Median."""
    p95_ms: float
    """95th percentile."""
    p99_ms: float
    """99th percentile."""
    percentile: float
    """Percentile of the target, 0 to 100."""
    at_percentile_ms: float
    """The latency at that percentile."""
    target_ms: float
    """Target."""
    met: bool
    """Whether the one does not exceed the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """One workload at one load."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    workload: str
    """Workload of the fleet document."""
    load: Load
    """Which load."""
    rate_per_s: float
    """Planned requests per second of the workload; at ``peak`` they go to what the loss leaves."""
    requests: int
    """Simulated requests that were counted: of random ones, those of the run-in and of the end are not."""
    ttft: LatencySpread
    """Time to first token."""
    tpot: LatencySpread | None
    """Time per output token of each request; None where no request has a second token."""
    attainment: float
    """Share of the requests that keep both targets."""
    met: bool
    """Whether both targets are met at their percentiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The plan replayed in the discrete-event simulator."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    seed: int
    """Of arrivals and lengths."""
    arrivals: str
    """How requests arrive: ``poisson``, ``gamma`` where a workload states its burstiness, ``trace`` where one
    has recorded requests; several as in ``poisson, gamma and trace``."""
    corrections: tuple[str, ...]
    """What the simulation allowed less of than was predicted; the plan was sized again with it."""
    replays: tuple[Replayed, ...]
    """By workload, in document order, and load."""
    met: bool
    """Whether every workload meets its targets at every load."""
