"""What a promotion fixes once: the steps, and the instances they are about."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from models.document.adapter import adapter_of
from planner.plan import Instance
from planner.plan.instance import STRICT
from planner.plan.transition import Step

__all__ = ["LaunchPart", "Phase", "RolloutBody", "Seat", "Target"]

Phase = Literal["absent", "loaded", "serving"]
"""How far an instance was when the rollout began: not there; running without requests; taking requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPart:
    """How to start the part of an instance on one node; see `planner.service.launches`."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    node: str
    """Node."""
    command: tuple[str, ...]
    """Words; ``{address:NODE}`` stands for the address of a node."""
    environment: dict[str, str]
    """Variables beside the inherited ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One instance of a rollout."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    id: str
    """``NAME@GENERATION`` of the rollout that started it: unique in the fleet for ever."""
    instance: Instance
    """As its plan has it."""
    launches: tuple[LaunchPart, ...]
    """One for each of its nodes; empty where the engine cannot run what the plan says."""
    port_offset: int
    """Its first port above the first of all; no other instance on its nodes has it."""
    port_count: int
    """How many ports from there on are its own."""
    phase: Phase
    """How far it was when the rollout began."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Its nodes, first stage first, each once."""
        return tuple(dict.fromkeys(stage.node for stage in self.instance.stages))

    def gpus_on(self, node: str) -> tuple[int, ...]:
        """Its GPUs on one node, in the order of its stages."""
        return tuple(gpu for stage in self.instance.stages if stage.node == node for gpu in stage.gpus)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """At which percentiles the latencies of a workload are predicted."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    ttft_percentile: float
    """0 to 100."""
    tpot_percentile: float
    """0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutBody:
    """Steps from what stood to a plan."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    generation: int
    """Which promotion of the fleet."""
    steps: tuple[Step, ...]
    """In order; each names the *id* of its instance."""
    seats: tuple[Seat, ...]
    """Instances that stood, go on or come, by id. What stood and is not here is not to run any more."""
    targets: dict[str, Target]
    """By workload."""
    assumptions: tuple[str, ...] = ()
    """What order and times rest on."""

    def to_json(self) -> str:
        """As text, canonical."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> RolloutBody:
        """Read what `to_json` wrote."""
        return adapter_of(RolloutBody).validate_json(text)
