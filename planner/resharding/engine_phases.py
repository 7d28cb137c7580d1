"""The phases of an engine as its serving model prices them: measured tables instead of a roofline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from models.architecture import Architecture
from models.errors import Unsupported
from models.hardware import Gpu
from models.serving import Configuration, InstanceModel, Parallelism, engine
from models.serving.configuration import Role
from models.serving.load import Load
from models.serving.memory import weight_bytes_per_gpu
from models.workload import LengthDistribution
from planner.resharding.layout import Layout, layouts
from planner.resharding.phase_model import RequestClass

__all__ = ["EnginePhases"]

PROMPT_TOKENS = 8192
"""Of one step that prefills."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnginePhases:
    """A model in an engine on a GPU type; implements `PhaseModel`.

    A phase costs the inverse of the most requests per second that the analysis finds for instances of that
    role, however long they wait: throughput work.
    """

    architecture: Architecture
    gpu: Gpu
    engine: str
    weights: str
    kv_cache: str
    max_num_seqs: int = 256

    @property
    def kv_cache_bytes_per_token(self) -> float:
        """See `PhaseModel`."""
        return float(self.architecture.kv_cache_bytes_per_token(self.kv_cache))

    def layouts(self, gpus: int) -> tuple[Layout, ...]:
        """See `PhaseModel`."""
        return tuple(layouts(self.architecture, gpus, weights=self.weights))

    def room_tokens(self, layout: Layout) -> float:
        """See `PhaseModel`."""
        instance = _instance(self, _cut(layout), "mixed", self.max_num_seqs)
        if instance is None:
            return 0.0
        return float(instance.memory.kv_cache_tokens * layout.replicas)

    def weight_bytes_per_gpu(self, layout: Layout) -> float:
        """See `PhaseModel`."""
        return weight_bytes_per_gpu(self.architecture, _cut(layout), self.weights)

    def prefill_s(self, layout: Layout, request: RequestClass) -> float:
        """See `PhaseModel`."""
        return _seconds(self, layout, "prefill", request)

    def decode_s(self, layout: Layout, request: RequestClass) -> float:
        """See `PhaseModel`."""
        return _seconds(self, layout, "decode", request)

    def mixed_s(self, layout: Layout, request: RequestClass) -> float:
        """See `PhaseModel`."""
        return _seconds(self, layout, "mixed", request)


@lru_cache(maxsize=4096)
def _seconds(phases: EnginePhases, layout: Layout, role: Role, request: RequestClass) -> float:
    """Of one request on all GPUs of a layout; as many run at once as the cache holds on average."""
    held = phases.room_tokens(layout) / layout.replicas / request.mean_context
    places = max(1, min(phases.max_num_seqs, int(held)))
    instance = _instance(phases, _cut(layout), role, places)
    if instance is None or held < 1:
        return math.inf
    lengths = LengthDistribution.fixed(request.input_tokens, max(request.output_tokens, 2.0))
    return 1.0 / (float(Load([instance], lengths).max_rate_per_s[0]) * layout.replicas)


def _cut(layout: Layout) -> Parallelism:
    return Parallelism(
        tensor_parallel_size=layout.tensor_parallel_size,
        pipeline_parallel_size=layout.pipeline_parallel_size,
    )


@lru_cache(maxsize=1024)
def _instance(phases: EnginePhases, cut: Parallelism, role: Role, places: int) -> InstanceModel | None:
    """None where the model does not fit, or the engine cannot run it on that GPU."""
    try:
        made = InstanceModel.of(
            Configuration(
                architecture=phases.architecture, gpu=phases.gpu, parallelism=cut,
                engine=engine(phases.engine), role=role, weights=phases.weights, kv_cache=phases.kv_cache,
                max_num_seqs=places, max_num_batched_tokens=PROMPT_TOKENS,
            )
        )  # fmt: skip
    except Unsupported:
        return None
    return made if made.memory.fits else None
