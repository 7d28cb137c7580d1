"""A candidate as the serving models see it: targets, lengths, configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.serving import Configuration, InstanceModel, Parallelism, Targets, engine
from planner.candidates.candidate import Candidate
from planner.fleet.fleet import Fleet, Pool, ServedModel, ServedWorkload
from planner.fleet.network import HANDOVER, Link
from planner.plan.drafting import Drafting
from planner.plan.instance import Role

__all__ = [
    "Terms",
    "configuration",
    "drafting_of",
    "instance_model",
    "max_model_len",
    "step_tokens",
    "targets",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an instance's neighbourhood makes of its engine.

    Parameters
    ----------
    handover
        Way of a prefill instance's caches.
    reserved_bytes
        Of each GPU's memory, what the engine sets aside for adapters.
    parts
        Instances that share the memory of each GPU.
    slowdown
        How many times longer everything takes: an engine asked for targets ``T / s`` at rates ``s · r`` is
        this one asked for T at r.
    """

    handover: Link = HANDOVER
    reserved_bytes: float = 0.0
    parts: int = 1
    slowdown: float = 1.0


def targets(workload: ServedWorkload, distance_ms: float = 0.0, slowdown: float = 1.0) -> Targets:
    """Return the latency targets of a workload as an engine must keep them that is that far and that slow."""
    return Targets(
        ttft_ms=(workload.ttft.limit_ms - distance_ms) / slowdown, ttft_percentile=workload.ttft.percentile,
        tpot_ms=workload.tpot.limit_ms / slowdown, tpot_percentile=workload.tpot.percentile,
    )  # fmt: skip


def max_model_len(fleet: Fleet, model: ServedModel) -> int:
    """Return the longest request an instance of `model` takes: as stated, or the longest of its workloads."""
    if model.max_model_len is not None:
        return model.max_model_len
    lengths = [
        workload.lengths.longest_request_tokens
        for workload in fleet.workloads
        if workload.model == model.name
    ]
    whole_blocks = -(-int(max(lengths, default=1.0)) // 256) * 256
    return min(whole_blocks, model.architecture.max_context_tokens)


def step_tokens(model: ServedModel) -> int:
    """Return the tokens of each running request that a step passes."""
    return 1 if model.speculative is None else model.speculative.speculation.width


def drafting_of(model: ServedModel) -> Drafting | None:
    """Return who drafts for a model, as its instances say it."""
    if model.speculative is None:
        return None
    s = model.speculative.speculation
    return Drafting(
        method=s.method, tokens=s.tokens, tokens_per_step=s.tokens_per_step,
        repository=model.speculative.repository,
    )  # fmt: skip


def instance_model(fleet: Fleet, candidate: Candidate) -> InstanceModel:
    """Return the serving model of a candidate."""
    model, pool = fleet.model(candidate.model), fleet.pool(candidate.pool)
    shape = Parallelism(
        tensor_parallel_size=candidate.tensor_parallel_size,
        pipeline_parallel_size=candidate.pipeline_parallel_size,
        data_parallel_size=candidate.data_parallel_size,
        expert_parallel_size=candidate.expert_parallel_size,
    )
    sequences, budget = candidate.max_num_seqs, candidate.max_num_batched_tokens
    terms = Terms(
        handover=candidate.handover, reserved_bytes=candidate.reserved_bytes, parts=candidate.gpu_parts
    )
    return InstanceModel.of(configuration(model, pool, candidate.role, shape, sequences, budget, terms))


def configuration(
    model: ServedModel, pool: Pool, role: Role, shape: Parallelism, sequences: int, budget: int,
    terms: Terms,
) -> Configuration:  # fmt: skip
    """Return what the planner chooses for an instance, with what its neighbourhood makes of it."""
    known = engine(model.engine)
    # The cache gets what is left of the engine's share of the memory.
    left = known.memory_fraction / terms.parts - terms.reserved_bytes / pool.gpu.memory_bytes
    return Configuration(
        architecture=model.architecture, gpu=pool.gpu, parallelism=shape,
        engine=replace(known, memory_fraction=left) if terms.reserved_bytes or terms.parts > 1 else known,
        role=role, weights=model.weights, kv_cache=model.kv_cache, max_num_seqs=sequences,
        max_num_batched_tokens=budget, kv_transfer_bytes_per_s=terms.handover.bandwidth_bytes_per_s,
        speculation=None if model.speculative is None else model.speculative.speculation,
    )  # fmt: skip
