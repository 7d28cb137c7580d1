"""One way to run an instance for one workload on one pool."""

from __future__ import annotations

from dataclasses import dataclass

from planner.fleet.network import HANDOVER, Link
from planner.plan.cut import cut_label
from planner.plan.drafting import Drafting
from planner.plan.instance import Role

__all__ = ["Candidate", "node_groups"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An engine configuration with what it can do; the columns of the sizing problem.

    Parameters
    ----------
    zone
        Of the pool; prefill instances feed decode instances of the same zone.
    capacity_per_s
        Requests per second at which the workload's targets are just met.
    checkpoint
        Precision of the published weights.
    ttft_ms, tpot_ms
        At `capacity_per_s`, at the targets' percentiles; None where the role has no such phase.
    limit, reason
        What keeps it from more: its kind, and a sentence with figures.
    groups
        Node-sized parts of an instance, each on a node of its own.
    gpus_per_group
        GPUs of each part: whole pipeline stages.
    price_per_hour
        Of all its GPUs.
    network_ms
        Of `ttft_ms`, the way from the users' region and back.
    gpu_parts
        Instances that share each of its GPUs; its counts of GPUs are then those of parts.
    slowdown
        How many times longer steps take than the engine's own: adapters beside the base model, other
        instances on the GPU.
    reserved_bytes
        Of each GPU's memory, what the slots of adapters take.
    adapter_slots, adapter_rank
        Adapters an instance holds in GPU memory, and their largest rank.
    drafting
        Who drafts tokens for it.
    handover
        Way of the caches of a prefill instance to its decode instances.
    basis
        Weakest of what the prediction rests on.
    rates_by_budget
        Each ``max_num_batched_tokens`` that was priced for this shape, ascending, with the requests per
        second it would carry; 0 where it misses a target.
    """

    workload: str
    model: str
    repository: str
    role: Role
    engine: str
    pool: str
    zone: str
    gpu: str
    tensor_parallel_size: int
    pipeline_parallel_size: int
    weights: str
    checkpoint: str
    kv_cache: str
    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int
    gpu_memory_utilization: float
    capacity_per_s: float
    ttft_ms: float | None
    tpot_ms: float | None
    limit: str
    reason: str
    groups: int
    gpus_per_group: int
    price_per_hour: float
    basis: str
    data_parallel_size: int = 1
    expert_parallel_size: int = 1
    network_ms: float = 0.0
    handover: Link = HANDOVER
    gpu_parts: int = 1
    slowdown: float = 1.0
    reserved_bytes: float = 0.0
    adapter_slots: int = 0
    adapter_rank: int = 0
    drafting: Drafting | None = None
    rates_by_budget: tuple[tuple[int, float], ...] = ()

    @property
    def distance_ms(self) -> float:
        """What is added to the TTFT of an instance: the way from the users, and to its decode instances."""
        return self.network_ms + (self.handover.latency_ms if self.role == "prefill" else 0.0)

    @property
    def gpus(self) -> int:
        """GPUs of one instance."""
        return self.groups * self.gpus_per_group

    @property
    def stage_gpus(self) -> int:
        """GPUs of each pipeline stage."""
        return self.tensor_parallel_size * self.data_parallel_size

    @property
    def shape(self) -> tuple[str, ...]:
        """Equal to `Instance.shape` of the instances it becomes."""
        return (
            self.workload, self.model, self.repository, self.role, self.engine, self.pool, self.gpu,
            str(self.tensor_parallel_size), str(self.pipeline_parallel_size),
            str(self.data_parallel_size), str(self.expert_parallel_size), self.weights, self.kv_cache,
            str(self.gpu_parts), str(self.adapter_slots), str(self.adapter_rank),
            str(self.drafting or ""),
        )  # fmt: skip

    @property
    def label(self) -> str:
        """For people: ``chat mixed TP2 DP4 EP8 on h200``."""
        return f"{self.workload} {self.role} {cut_label(self)} on {self.pool}"


def node_groups(stage_gpus: int, pipeline: int, gpus_per_node: int) -> tuple[int, int] | None:
    """Return how many nodes an instance takes and how many GPUs on each.

    A stage never leaves its node. An instance that fits one node stays there; else as many
    of its stages share a node as fit and leave every node with the same number. None: one stage does not
    fit a node.
    """
    if stage_gpus > gpus_per_node:
        return None
    stages = max(n for n in range(1, pipeline + 1) if pipeline % n == 0 and n * stage_gpus <= gpus_per_node)
    return pipeline // stages, stages * stage_gpus
