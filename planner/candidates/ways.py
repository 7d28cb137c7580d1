"""The ways to run an instance of one workload on one pool: which there are, and the best settings of each."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from models.errors import Unsupported
from models.serving import Capacity, InstanceModel, Parallelism, engine
from models.serving.configuration import draft_problems
from planner.adapters.memory import adapter_bytes_per_gpu
from planner.candidates.candidate import Candidate, node_groups
from planner.candidates.configure import (
    Terms,
    configuration,
    drafting_of,
    max_model_len,
    step_tokens,
    targets,
)
from planner.candidates.margins import tightened
from planner.fleet.fleet import Fleet, Pool, ServedModel, ServedWorkload
from planner.fleet.fleet import Parallelism as AllowedParallelism
from planner.fleet.network import HANDOVER
from planner.plan.instance import Role
from planner.topology.handover import assumed_handover
from planner.topology.regions import is_away, round_trip_ms

__all__ = ["Candidates", "Refusal", "Ways"]

BUDGETS: dict[Role, tuple[int, ...]] = {
    "mixed": (2048, 8192, 16384),
    "prefill": (8192, 16384),
    "decode": (2048,),
}
"""Values of ``max_num_batched_tokens`` tried."""
CHUNKED_BUDGETS = (512, 1024, 2048, 4096, 8192, 16384)
"""The same for mixed instances of engines that cut prompts to fill a step beside its decodes: small budgets
keep the steps, and with them the TPOT, short; large ones prefill in fewer steps."""
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
    """What can serve, in document order and from few GPUs to many, and what cannot, and why.

    Parameters
    ----------
    known
        What they were found to do at rates: `planner.expectations` keeps it here.
    """

    accepted: tuple[Candidate, ...]
    refused: tuple[Refusal, ...]
    known: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)


_Row = tuple[Role, Parallelism, InstanceModel]


class Ways:
    """Every way to run an instance of one workload on one pool: the best settings of each shape are kept."""

    def __init__(self, fleet: Fleet, workload: ServedWorkload, pool: Pool, confidence: float | None) -> None:
        self.fleet, self.workload, self.pool = fleet, workload, pool
        self.model = fleet.model(workload.model)
        self.network_ms = round_trip_ms(fleet, workload, pool)
        self.adapters = workload.adapters
        self.latency_ms = assumed_handover(fleet, pool, 1).latency_ms
        self.barred = self._too_far()
        overhead = 0.0 if workload.adapters is None else workload.adapters.overhead
        self.slowdown = pool.part_slowdown * (1.0 + overhead)
        self.wanted = tightened(
            targets(workload, 0.0 if self.barred else self.network_ms + self.latency_ms, self.slowdown),
            engine=self.model.engine,
            generation=pool.gpu.generation,
            confidence=confidence,
        )
        self.refused: list[Refusal] = []
        self.best: dict[tuple[Role, Parallelism], tuple[InstanceModel, Capacity]] = {}
        self.tried: dict[tuple[Role, Parallelism], dict[int, float]] = {}

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

    def _terms(self, role: Role, shape: Parallelism) -> Terms:
        apart = role == "prefill"
        return Terms(
            handover=assumed_handover(self.fleet, self.pool, shape.gpus) if apart else HANDOVER,
            reserved_bytes=0.0
            if self.adapters is None
            else self.adapters.slots
            * adapter_bytes_per_gpu(self.model.architecture, shape, self.adapters.rank),
            parts=self.pool.gpu_parts,
            slowdown=self.slowdown,
        )

    def settings(self) -> list[_Row]:
        """What is to be priced; ways that cannot exist are refused here."""
        rows: list[_Row] = []
        allowed = self.fleet.policies.parallelism
        for role in _roles(self.fleet):
            for shape in _shapes(self.model, allowed):
                why = self.barred or _misfit(self.model, self.pool, role, shape, allowed)
                if why is None and self.adapters is not None and role != "mixed":
                    why = ("engine", "adapters are planned on mixed instances only")
                try:
                    if why is None:
                        terms = self._terms(role, shape)
                        built = _settings(self.model, self.pool, role, shape, terms)
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
            budget, sequences = built.configuration.max_num_batched_tokens, built.configuration.max_num_seqs
            tried = self.tried.setdefault((role, shape), {})
            tried[budget] = max(tried.get(budget, 0.0), capacity.rate_per_s)
            # a budget must leave room for prompts beside a full batch of decodes
            room = budget > SEQUENCES[-1] * step_tokens(self.model)
            if capacity.limit == "max_num_seqs" and sequences < SEQUENCES[-1] and room:
                terms = self._terms(role, shape)
                more = configuration(self.model, self.pool, role, shape, SEQUENCES[-1], budget, terms)
                wider.append((role, shape, InstanceModel.of(more)))
        return wider

    def candidates(self) -> Candidates:
        """What was priced: candidates, and what can serve nothing."""
        accepted, refused = [], list(self.refused)
        for (role, shape), (built, capacity) in self.best.items():
            if capacity.feasible and capacity.rate_per_s > 0:
                made = _candidate(self.fleet, self.workload, self.model, self.pool, built, capacity)
                accepted.append(self._as_seen(made, self._terms(role, shape), self.tried[role, shape]))
            else:
                slow = self._terms(role, shape).slowdown
                late = None if capacity.ttft_ms is None else capacity.ttft_ms * slow + self.network_ms
                tpot = None if capacity.tpot_ms is None else capacity.tpot_ms * slow
                why = (capacity.limit, capacity.reason + self._taken_off(), late, tpot)
                refused.append(_refusal(self.workload, self.pool, role, shape, *why))
        return Candidates(accepted=tuple(accepted), refused=tuple(refused))

    def _taken_off(self) -> str:
        """Why the targets in a reason are not those of the document."""
        said = []
        if self.slowdown != 1.0:
            said.append(f"divided by {self.slowdown:g}, as steps take so many times longer")
        if self.network_ms > 0:
            said.append(f"less {self.network_ms:g} ms on the way")
        return f" (targets are {' and '.join(reversed(said))})" if said else ""

    def _as_seen(self, made: Candidate, terms: Terms, tried: Mapping[int, float]) -> Candidate:
        """The candidate as its users see it: slower than the engine alone, and at a distance."""
        slow = terms.slowdown
        seen = replace(
            made,
            rates_by_budget=tuple((b, tried[b] * self.pool.availability / slow) for b in sorted(tried)),
            network_ms=self.network_ms,
            handover=terms.handover,
            slowdown=slow,
            gpu_parts=terms.parts,
            gpu_memory_utilization=made.gpu_memory_utilization / terms.parts,
            reserved_bytes=terms.reserved_bytes,
            adapter_slots=0 if self.adapters is None else self.adapters.slots,
            adapter_rank=0 if self.adapters is None else self.adapters.rank,
            drafting=drafting_of(self.model),
            capacity_per_s=made.capacity_per_s / slow,
            ttft_ms=None if made.ttft_ms is None else made.ttft_ms * slow,
            tpot_ms=None if made.tpot_ms is None else made.tpot_ms * slow,
        )
        if seen.ttft_ms is None or seen.distance_ms == 0:
            return seen
        reason = f"{seen.reason}, and {seen.distance_ms:.3g} ms are spent on the way"
        return replace(seen, ttft_ms=seen.ttft_ms + seen.distance_ms, reason=reason)


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
    if pool.gpu_parts > 1 and shape.gpus > 1:
        return "node", f"GPUs of {pool.name} are shared by {pool.gpu_parts} instances of one GPU each"
    if pool.part_models is not None and model.name not in pool.part_models:
        return "policy", f"{model.name} is not one of the models that share the GPUs of {pool.name}"
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
    if model.speculative is not None:
        problems = draft_problems(model.speculative.speculation, shape)
        if problems:
            return "engine", "; ".join(problems)
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
    model: ServedModel, pool: Pool, role: Role, shape: Parallelism, terms: Terms
) -> Iterator[InstanceModel]:
    chunked = role == "mixed" and engine(model.engine).schedule == "chunked"
    for budget in CHUNKED_BUDGETS if chunked else BUDGETS[role]:
        if role == "mixed" and budget <= SEQUENCES[0] * step_tokens(model):
            continue
        yield InstanceModel.of(configuration(model, pool, role, shape, SEQUENCES[0], budget, terms))


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
        model), gpu_memory_utilization=engine(model.engine).memory_fraction,
        capacity_per_s=capacity.rate_per_s * pool.availability, ttft_ms=capacity.ttft_ms,
        tpot_ms=capacity.tpot_ms, limit=capacity.limit, reason=capacity.reason,
        groups=found[0], gpus_per_group=found[1],
        price_per_hour=shape.gpus * pool.price_per_gpu_hour, basis=capacity.basis,
    )  # fmt: skip


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
