"""Every way to run an instance of each workload on each pool, priced by the serving models."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from models.errors import Unsupported
from models.serving import (
    Capacity,
    Configuration,
    InstanceModel,
    Parallelism,
    Table,
    Targets,
    capacities_of,
    engine,
)
from planner.candidates.candidate import Candidate, node_groups
from planner.candidates.margins import tightened
from planner.fleet.fleet import Fleet, Pool, ServedModel, ServedWorkload
from planner.fleet.fleet import Parallelism as AllowedParallelism
from planner.fleet.network import HANDOVER, Link
from planner.plan.instance import Role
from planner.topology.handover import assumed_handover
from planner.topology.regions import is_away, round_trip_ms

__all__ = ["Candidates", "Refusal", "enumerate_candidates", "instance_model", "max_model_len", "targets"]

BUDGETS: dict[Role, tuple[int, ...]] = {
    "mixed": (2048, 8192, 16384),
    "prefill": (8192, 16384),
    "decode": (2048,),
}
"""Values of ``max_num_batched_tokens`` tried: small budgets keep the TPOT of mixed instances low, large ones
prefill faster."""
SEQUENCES = (256, 1024)
"""Values of ``max_num_seqs``: the engine's default, and what is tried where that is what binds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A way to run an instance that cannot serve its workload at all.

    Parameters
    ----------
    limit
        What forbids it: ``memory``, ``ttft``, ``tpot``, ``precision``, ``shape`` (the model is not cut this
        way), ``engine`` (the engine cannot do it), ``node`` (too large for a node, or for the pool) or
        ``policy`` (the document leaves it out).
    reason
        A sentence with figures.
    ttft_ms, tpot_ms
        Of a request that is alone, at the targets' percentiles; None where unknown or not of this role.
    """

    workload: str
    pool: str
    role: Role
    tensor_parallel_size: int
    pipeline_parallel_size: int
    limit: str
    reason: str
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    data_parallel_size: int = 1
    expert_parallel_size: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What can serve, in document order and from few GPUs to many, and what cannot, and why."""

    accepted: tuple[Candidate, ...]
    refused: tuple[Refusal, ...]


def enumerate_candidates(
    fleet: Fleet, *, cancelled: Callable[[], bool] | None = None, confidence: float | None = None
) -> Candidates:
    """Return the candidates of a fleet; a cancelled call returns those found so far.

    With `confidence` predictions stay so far below the targets that measurements keep them with that
    probability (`planner.candidates.margins`).
    """
    tried = [_Ways(fleet, w, p, confidence) for w in fleet.workloads for p in fleet.pools]
    stop = cancelled or _never
    rows = [ways.settings() for ways in tried if not stop()]
    asked = 0
    while any(rows) and not stop():
        asked += sum(map(len, rows))
        # All workloads and pools are one table: the more rows, the less each costs.
        tables = [
            Table(
                instances=[built for _, _, built in mine], lengths=ways.workload.lengths, targets=ways.wanted
            )
            for ways, mine in zip(tried, rows, strict=False)
        ]
        found = capacities_of(tables, rows=asked)
        rows = [ways.note(mine, each) for ways, mine, each in zip(tried, rows, found, strict=False)]
    made = [ways.candidates() for ways in tried]
    return Candidates(
        accepted=tuple(candidate for each in made for candidate in each.accepted),
        refused=tuple(refusal for each in made for refusal in each.refused),
    )


def _never() -> bool:
    return False


def targets(workload: ServedWorkload, distance_ms: float = 0.0) -> Targets:
    """Return the latency targets of a workload as the serving models take them, less a distance to users."""
    return Targets(
        ttft_ms=workload.ttft.limit_ms - distance_ms, ttft_percentile=workload.ttft.percentile,
        tpot_ms=workload.tpot.limit_ms, tpot_percentile=workload.tpot.percentile,
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


def instance_model(fleet: Fleet, candidate: Candidate) -> InstanceModel:
    """Return the serving model of a candidate."""
    model, pool = fleet.model(candidate.model), fleet.pool(candidate.pool)
    shape = Parallelism(
        tensor_parallel_size=candidate.tensor_parallel_size,
        pipeline_parallel_size=candidate.pipeline_parallel_size,
        data_parallel_size=candidate.data_parallel_size,
        expert_parallel_size=candidate.expert_parallel_size,
    )
    made = _configuration(
        model, pool, candidate.role, shape, candidate.max_num_seqs, candidate.max_num_batched_tokens,
        candidate.handover,
    )  # fmt: skip
    return InstanceModel.of(made)


_Row = tuple[Role, Parallelism, InstanceModel]


class _Ways:
    """Every way to run an instance of one workload on one pool: the best settings of each shape are kept."""

    def __init__(self, fleet: Fleet, workload: ServedWorkload, pool: Pool, confidence: float | None) -> None:
        self.fleet, self.workload, self.pool = fleet, workload, pool
        self.model = fleet.model(workload.model)
        self.network_ms = round_trip_ms(fleet, workload, pool)
        self.latency_ms = assumed_handover(fleet, pool, 1).latency_ms
        self.barred = self._too_far()
        self.wanted = tightened(
            targets(workload, 0.0 if self.barred else self.network_ms + self.latency_ms),
            engine=self.model.engine,
            generation=pool.gpu.generation,
            confidence=confidence,
        )
        self.refused: list[Refusal] = []
        self.best: dict[tuple[Role, Parallelism], tuple[InstanceModel, Capacity]] = {}

    def _too_far(self) -> tuple[str, str] | None:
        """Why the pool cannot serve the region of the workload at all."""
        w, where = self.workload, self.fleet.topology.region_of(self.pool.zone)
        if is_away(self.fleet, w, self.pool) and self.fleet.policies.spill == "never":
            return "policy", f"requests from {w.region} are never served in {where} (policies.spill)"
        if math.isinf(self.network_ms):
            return "policy", f"no way from {w.region} to {where} is stated in topology.links"
        if self.network_ms + self.latency_ms >= w.ttft.limit_ms:
            way = f"the way from {w.region} to {where} and back takes {self.network_ms:g} ms"
            return "ttft", f"{way}, the TTFT target is {w.ttft.limit_ms:g} ms"
        return None

    def _handover(self, role: Role, shape: Parallelism) -> Link:
        return assumed_handover(self.fleet, self.pool, shape.gpus) if role == "prefill" else HANDOVER

    def settings(self) -> list[_Row]:
        """What is to be priced; ways that cannot exist are refused here."""
        rows: list[_Row] = []
        allowed = self.fleet.policies.parallelism
        for role in _roles(self.fleet):
            for shape in _shapes(self.model, allowed):
                why = self.barred or _misfit(self.model, self.pool, role, shape, allowed)
                try:
                    if why is None:
                        way = self._handover(role, shape)
                        built = _settings(self.model, self.pool, role, shape, way)
                        rows += [(role, shape, instance) for instance in built]
                except Unsupported as error:
                    why = ("precision", error.message)
                if why is not None:
                    self.refused.append(_refusal(self.workload, self.pool, role, shape, *why))
        return rows

    def note(self, rows: Sequence[_Row], found: Sequence[Capacity]) -> list[_Row]:
        """Keep the best of each shape; what is worth pricing beside it."""
        wider: list[_Row] = []
        for (role, shape, built), capacity in zip(rows, found, strict=True):
            known = self.best.get((role, shape))
            if known is None or _order(capacity) > _order(known[1]):
                self.best[role, shape] = (built, capacity)
            if capacity.limit == "max_num_seqs" and built.configuration.max_num_seqs < SEQUENCES[-1]:
                budget = built.configuration.max_num_batched_tokens
                way = self._handover(role, shape)
                more = _configuration(self.model, self.pool, role, shape, SEQUENCES[-1], budget, way)
                wider.append((role, shape, InstanceModel.of(more)))
        return wider

    def candidates(self) -> Candidates:
        """What was priced: candidates, and what can serve nothing."""
        accepted, refused = [], list(self.refused)
        for (role, shape), (built, capacity) in self.best.items():
            if capacity.feasible and capacity.rate_per_s > 0:
                made = _candidate(self.fleet, self.workload, self.model, self.pool, built, capacity)
                accepted.append(_at_distance(made, self.network_ms, self._handover(role, shape)))
            else:
                late = None if capacity.ttft_ms is None else capacity.ttft_ms + self.network_ms
                why = (capacity.limit, capacity.reason, late, capacity.tpot_ms)
                refused.append(_refusal(self.workload, self.pool, role, shape, *why))
        return Candidates(accepted=tuple(accepted), refused=tuple(refused))


def _order(capacity: Capacity) -> tuple[bool, float, float]:
    """Feasible before infeasible, then by rate; of infeasible ones, the least late."""
    late = (capacity.ttft_ms or 0.0) + (capacity.tpot_ms or 0.0)
    return capacity.feasible, capacity.rate_per_s, -late


def _roles(fleet: Fleet) -> Iterator[Role]:
    for role in get_args(Role):
        if ("mixed" if role == "mixed" else "disaggregated") in fleet.policies.roles:
            yield role


def _shapes(model: ServedModel, allowed: AllowedParallelism) -> list[Parallelism]:
    """Every parallelism the policy allows, possible or not; only models with experts share them."""
    moe = model.architecture.is_moe
    return [
        Parallelism(
            tensor_parallel_size=tensor,
            pipeline_parallel_size=pipeline,
            data_parallel_size=data,
            expert_parallel_size=expert,
        )
        for pipeline in allowed.pipeline
        for data in (allowed.data if moe else (1,))
        for tensor in allowed.tensor
        for expert in (allowed.expert_degrees(tensor * data) if moe else (1,))
    ]


def _misfit(
    model: ServedModel, pool: Pool, role: Role, shape: Parallelism, allowed: AllowedParallelism
) -> tuple[str, str] | None:
    """Why an instance of this shape cannot exist on the pool, before any pricing."""
    for forbidden in allowed.forbidden:
        if forbidden.fits(
            model=model.name,
            pool=pool.name,
            role=role,
            tensor=shape.tensor_parallel_size,
            pipeline=shape.pipeline_parallel_size,
            data=shape.data_parallel_size,
            expert=shape.expert_parallel_size,
        ):
            return "policy", f"the document forbids {forbidden}"
    problems = shape.problems(model.architecture, model.weights)
    if problems:
        return "shape", "; ".join(problems)
    if shape.data_parallel_size > 1 and shape.pipeline_parallel_size > 1:
        return "shape", "attention replicas of one instance are planned without pipeline stages only"
    if model.engine == "vllm" and shape.expert_parallel_size not in (1, shape.stage_gpus):
        return "engine", f"vllm deals experts to all {shape.stage_gpus} GPUs of a stage or to none"
    if role != "mixed" and shape.pipeline_parallel_size > 1:
        return "engine", f"{model.engine} hands caches over between instances without pipeline stages only"
    groups = node_groups(shape.stage_gpus, shape.pipeline_parallel_size, pool.gpus_per_node)
    if groups is None:
        replicas = f" in {shape.data_parallel_size} replicas" if shape.data_parallel_size > 1 else ""
        return "node", (
            f"a tensor-parallel group of {shape.tensor_parallel_size}{replicas} does not fit "
            f"a node of {pool.gpus_per_node} GPUs"
        )
    if groups[0] > pool.nodes_in_service:
        return "node", f"needs {groups[0]} nodes, and {pool.name} has {pool.nodes_in_service}"
    if groups[0] > 1 and not allowed.pipeline_across_nodes:
        return "policy", "its stages do not fit one node, and pipeline_across_nodes is false"
    return None


def _settings(
    model: ServedModel, pool: Pool, role: Role, shape: Parallelism, handover: Link
) -> Iterator[InstanceModel]:
    for budget in BUDGETS[role]:
        yield InstanceModel.of(_configuration(model, pool, role, shape, SEQUENCES[0], budget, handover))


def _configuration(
    model: ServedModel, pool: Pool, role: Role, shape: Parallelism, sequences: int, budget: int,
    handover: Link,
) -> Configuration:  # fmt: skip
    return Configuration(
        architecture=model.architecture, gpu=pool.gpu, parallelism=shape, engine=engine(model.engine),
        role=role, weights=model.weights, kv_cache=model.kv_cache, max_num_seqs=sequences,
        max_num_batched_tokens=budget, kv_transfer_bytes_per_s=handover.bandwidth_bytes_per_s,
    )  # fmt: skip


def _candidate(
    fleet: Fleet,
    workload: ServedWorkload,
    model: ServedModel,
    pool: Pool,
    built: InstanceModel,
    capacity: Capacity,
) -> Candidate:
    configuration = built.configuration
    shape = configuration.parallelism
    found = node_groups(shape.stage_gpus, shape.pipeline_parallel_size, pool.gpus_per_node)
    assert found is not None
    return Candidate(
        workload=workload.name, model=model.name, repository=model.repository, role=configuration.role,
        engine=model.engine, pool=pool.name, zone=pool.zone, gpu=pool.gpu.name,
        tensor_parallel_size=shape.tensor_parallel_size, pipeline_parallel_size=shape.pipeline_parallel_size,
        data_parallel_size=shape.data_parallel_size, expert_parallel_size=shape.expert_parallel_size,
        weights=model.weights,
        checkpoint=model.architecture.checkpoint_precision, kv_cache=model.kv_cache,
        max_num_seqs=configuration.max_num_seqs,
        max_num_batched_tokens=configuration.max_num_batched_tokens, max_model_len=max_model_len(fleet,
        model), gpu_memory_utilization=configuration.engine.memory_fraction,
        capacity_per_s=capacity.rate_per_s * pool.availability, ttft_ms=capacity.ttft_ms,
        tpot_ms=capacity.tpot_ms, limit=capacity.limit, reason=capacity.reason,
        groups=found[0], gpus_per_group=found[1],
        price_per_hour=shape.gpus * pool.price_per_gpu_hour, basis=capacity.basis,
    )  # fmt: skip


def _at_distance(candidate: Candidate, network_ms: float, handover: Link) -> Candidate:
    """The candidate as its users see it."""
    there = replace(candidate, network_ms=network_ms, handover=handover)
    if there.ttft_ms is None or there.distance_ms == 0:
        return there
    reason = f"{there.reason}, and {there.distance_ms:.3g} ms are spent on the way"
    return replace(there, ttft_ms=there.ttft_ms + there.distance_ms, reason=reason)


def _refusal(
    workload: ServedWorkload, pool: Pool, role: Role, shape: Parallelism, limit: str, reason: str,
    ttft_ms: float | None = None, tpot_ms: float | None = None,
) -> Refusal:  # fmt: skip
    return Refusal(
        workload=workload.name, pool=pool.name, role=role, tensor_parallel_size=shape.tensor_parallel_size,
        pipeline_parallel_size=shape.pipeline_parallel_size, data_parallel_size=shape.data_parallel_size,
        expert_parallel_size=shape.expert_parallel_size, limit=limit, reason=reason, ttft_ms=ttft_ms,
        tpot_ms=tpot_ms,
    )  # fmt: skip
