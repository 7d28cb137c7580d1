"""One running copy of a model: its engine settings, its GPUs, and what to expect of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from planner.plan.adapters import AdapterSlot
from planner.plan.drafting import Drafting

__all__ = ["STRICT", "Expectation", "Instance", "Role", "Stage"]

Role = Literal["mixed", "prefill", "decode"]
"""``mixed`` serves whole requests; ``prefill`` instances hand their KV cache to ``decode`` instances."""

STRICT: dict[str, Any] = {
    "extra": "forbid",
    "strict": True,
    "allow_inf_nan": False,
    "use_attribute_docstrings": True,
}
"""How pydantic reads these dataclasses at the edge; they do not need it themselves."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One pipeline stage, always inside one node: a tensor-parallel group for each attention replica."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    node: str
    """Node name: ``pool/rack/index`` as the fleet document lays it out."""
    gpus: tuple[int, ...]
    """GPU indices on that node, ascending: the tensor-parallel groups one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Predicted behaviour of one instance at the load the plan gives it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    rate_per_s: float
    """Requests per second the plan sends here."""
    capacity_per_s: float
    """Requests per second at which the targets are just met."""
    ttft_ms: float | None
    """Time to first token at the target's percentile; None for a decode instance."""
    tpot_ms: float | None
    """Time per output token at the target's percentile; None for a prefill instance."""
    concurrency: float
    """Mean number of requests in the running batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One engine process group."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    name: str
    """Unique in the plan and kept for as long as the instance runs: ``chat-mixed-0``."""
    workload: str
    """Workload it serves."""
    model: str
    """Model of the fleet document; the name requests ask for."""
    repository: str
    """Repository or path the engine loads."""
    role: Role
    """Which phases it serves."""
    engine: str
    """Serving engine: ``vllm``."""
    pool: str
    """Pool its GPUs come from."""
    gpu: str
    """Catalogue name of the GPU type."""
    tensor_parallel_size: int
    """GPUs that share each layer."""
    pipeline_parallel_size: int
    """Consecutive groups of layers, one a stage."""
    data_parallel_size: int = 1
    """Replicas of the attention that share the experts, all within one node."""
    expert_parallel_size: int = 1
    """Groups of GPUs that the experts of a stage are dealt to."""
    weights: str
    """Weight precision."""
    checkpoint: str
    """Weight precision of the checkpoint as published; the engine quantises where the two differ."""
    kv_cache: str
    """KV-cache precision."""
    max_num_seqs: int
    """Most requests in a running batch, over all attention replicas."""
    max_num_batched_tokens: int
    """Most tokens in one step of an attention replica: a chunk of prompts plus the running batch."""
    max_model_len: int
    """Longest request, prompt and answer, in tokens."""
    gpu_memory_utilization: float
    """Share of GPU memory the engine may take."""
    gpu_parts: int = 1
    """Instances that share each of its GPUs. Above 1, indices and counts are those of parts: part p is on GPU
    ``p // gpu_parts``."""
    stages: tuple[Stage, ...]
    """Where it runs, one entry per pipeline stage."""
    expected: Expectation
    """What to expect of it."""
    price_per_hour: float
    """Price of its GPUs."""
    adapters: tuple[AdapterSlot, ...] = ()
    """LoRA adapters it holds."""
    adapter_slots: int = 0
    """Adapters it can hold in GPU memory."""
    adapter_rank: int = 0
    """Largest rank of them."""
    drafting: Drafting | None = None
    """Who drafts tokens for it; none: it makes one token a step."""
    basis: str
    """What the prediction rests on: ``measured``, ``imported`` or ``datasheet``."""

    @property
    def gpu_count(self) -> int:
        """GPUs it occupies."""
        return self.stage_gpus * self.pipeline_parallel_size

    @property
    def stage_gpus(self) -> int:
        """GPUs of each stage."""
        return self.tensor_parallel_size * self.data_parallel_size

    @property
    def shape(self) -> tuple[str, ...]:
        """What a current instance must have in common with a new one to go on running as it."""
        return (
            self.workload, self.model, self.repository, self.role, self.engine, self.pool, self.gpu,
            str(self.tensor_parallel_size), str(self.pipeline_parallel_size),
            str(self.data_parallel_size), str(self.expert_parallel_size), self.weights, self.kv_cache,
            str(self.gpu_parts), str(self.adapter_slots), str(self.adapter_rank),
            str(self.drafting or ""),
        )  # fmt: skip
