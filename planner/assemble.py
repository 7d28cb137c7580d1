"""From counts and places to the plan document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, MutableMapping, Sequence

from models.profiles.stated_error import measured_source
from planner.adapters.assign import adapter_notes
from planner.candidates.candidate import Candidate
from planner.candidates.enumerate import instance_model
from planner.expectations import AtRate, expectations
from planner.fleet.fleet import Fleet
from planner.loads import Placed, served_rate, surviving_rate
from planner.placement.tenant import Tenant
from planner.plan import Basis, Instance, PoolUse, Stage, WorkloadOutcome
from planner.sizing.solve import COVERED_SHARE
from planner.topology.flows import has_network
from planner.topology.notes import network_notes

__all__ = ["make_basis", "make_instances", "make_notes", "make_outcomes", "make_pool_uses"]


def make_instances(
    fleet: Fleet,
    tenants: Sequence[Tenant],
    candidates: Sequence[Candidate],
    stages: Mapping[str, tuple[Stage, ...]],
    known: MutableMapping[Hashable, AtRate] | None = None,
) -> tuple[Instance, ...]:
    """Return the placed instances, by name, each with what to expect of it at the stated rate.

    `known`: see `planner.expectations`.
    """
    placed = [tenant for tenant in tenants if tenant.name in stages]
    expected = expectations(fleet, [tenant.candidate for tenant in placed], candidates, known)
    instances = []
    for tenant in placed:
        c = candidates[tenant.candidate]
        instances.append(
            Instance(
                name=tenant.name,
                workload=c.workload,
                model=c.model,
                repository=c.repository,
                role=c.role,
                engine=c.engine,
                pool=c.pool,
                gpu=c.gpu,
                tensor_parallel_size=c.tensor_parallel_size,
                pipeline_parallel_size=c.pipeline_parallel_size,
                data_parallel_size=c.data_parallel_size,
                expert_parallel_size=c.expert_parallel_size,
                weights=c.weights,
                checkpoint=c.checkpoint,
                kv_cache=c.kv_cache,
                max_num_seqs=c.max_num_seqs,
                max_num_batched_tokens=c.max_num_batched_tokens,
                max_model_len=c.max_model_len,
                gpu_memory_utilization=c.gpu_memory_utilization,
                stages=stages[tenant.name],
                expected=expected[tenant.candidate],
                gpu_parts=c.gpu_parts,
                adapter_slots=c.adapter_slots,
                adapter_rank=c.adapter_rank,
                drafting=c.drafting,
                price_per_hour=c.price_per_hour,
                basis=c.basis,
            )
        )
    return tuple(sorted(instances, key=lambda i: i.name))


def make_outcomes(fleet: Fleet, instances: Sequence[Instance]) -> tuple[WorkloadOutcome, ...]:
    """Return what each workload gets from placed instances."""
    outcomes = []
    for workload in fleet.workloads:
        mine = [i for i in instances if i.workload == workload.name]
        placed = [
            Placed(
                role=i.role,
                zone=fleet.pool(i.pool).zone,
                capacity_per_s=i.expected.capacity_per_s,
                stages=i.stages,
            )
            for i in mine
        ]
        demand = workload.rate_per_s * (1 + fleet.policies.headroom)
        surviving = surviving_rate(placed, fleet.policies.loss_of)
        unserved = demand - surviving
        outcomes.append(
            WorkloadOutcome(
                name=workload.name,
                demand_per_s=demand,
                capacity_per_s=served_rate(placed),
                surviving_capacity_per_s=surviving,
                unserved_per_s=unserved if unserved > COVERED_SHARE * demand else 0.0,
                ttft_percentile=workload.ttft.percentile,
                ttft_target_ms=workload.ttft.limit_ms,
                ttft_ms=max(
                    (i.expected.ttft_ms for i in mine if i.expected.ttft_ms is not None), default=None
                ),
                tpot_percentile=workload.tpot.percentile,
                tpot_target_ms=workload.tpot.limit_ms,
                tpot_ms=max(
                    (i.expected.tpot_ms for i in mine if i.expected.tpot_ms is not None), default=None
                ),
            )
        )
    return tuple(outcomes)


def make_pool_uses(fleet: Fleet, instances: Sequence[Instance]) -> tuple[PoolUse, ...]:
    """Return how much of each pool is used."""
    used: dict[str, int] = defaultdict(int)
    for instance in instances:
        used[instance.pool] += instance.gpu_count
    return tuple(
        PoolUse(
            name=pool.name,
            gpu=pool.gpu.name,
            nodes=pool.nodes,
            gpus_per_node=pool.gpus_per_node,
            gpus_used=used[pool.name],
            gpu_parts=pool.gpu_parts,
            cost_per_hour=pool.cost_per_hour(used[pool.name]),
        )
        for pool in fleet.pools
    )


def make_basis(fleet: Fleet, instances: Sequence[Instance]) -> tuple[Basis, ...]:
    """Return what the numbers of a plan rest on."""
    found = [
        Basis(what=f"gpu {pool.gpu.name}", basis=pool.gpu.basis, source=pool.gpu.source)
        for pool in {pool.gpu.name: pool for pool in fleet.pools}.values()
    ]
    found += [
        Basis(what=f"operators on {name}", basis="measured", source=source)
        for name in dict.fromkeys(pool.gpu.name for pool in fleet.pools)
        if (source := measured_source(name)) is not None
    ]
    found += [
        Basis(what=f"model {m.name}", basis="config", source=m.architecture.source) for m in fleet.models
    ]
    found += [
        Basis(what=f"lengths of {w.name}", basis="declared", source=w.lengths_source) for w in fleet.workloads
    ]
    found += [
        Basis(
            what=f"prompts of {w.name} found in the cache: {w.reuse:.1%}",
            basis="declared",
            source=w.reuse_source,
        )
        for w in fleet.workloads
        if w.reuse
    ]
    found += [
        Basis(what=f"drafts of {m.name}: {m.speculative}", basis="declared", source=m.speculative.source)
        for m in fleet.models
        if m.speculative is not None
    ]
    found.append(Basis(what="rates, prices and targets", basis="declared", source="the fleet document"))
    bases = sorted({instance.basis for instance in instances})
    found += [
        Basis(what="latencies and rates of instances", basis=basis, source="step model of models.serving")
        for basis in bases
    ]
    return tuple(found)


def make_notes(
    fleet: Fleet,
    candidates: Sequence[Candidate],
    instances: Sequence[Instance],
    outcomes: Sequence[WorkloadOutcome] = (),
) -> tuple[str, ...]:
    """Return what a reader should know before trusting the numbers."""
    notes = list(_shortage(fleet, outcomes)) if instances else []
    used = {instance.shape for instance in instances}
    chosen = [candidate for candidate in candidates if candidate.shape in used]
    notes += sorted({said for c in chosen for said in instance_model(fleet, c).curves.remarks})
    if any(instance.basis == "datasheet" for instance in instances):
        notes.append(
            "latencies rest on datasheet numbers, not on measurements of these GPUs: measure before you sign"
        )
    notes += network_notes(fleet, instances)
    notes += adapter_notes(fleet, instances)
    if any(instance.role != "mixed" for instance in instances) and not has_network(fleet):
        notes.append(
            "prefill instances are assumed to hand over their KV cache at 50 GB/s each, and a router "
            "must pair them with decode instances of their zone"
        )
    for pool in fleet.pools:
        if pool.gpu_parts > 1 and any(instance.pool == pool.name for instance in instances):
            notes.append(
                f"{pool.gpu_parts} instances share each GPU of {pool.name}: steps are planned to take "
                f"{pool.part_slowdown:g} times as long, and a part costs its share of the GPU's price"
            )
        if pool.availability < 1.0 and any(instance.pool == pool.name for instance in instances):
            notes.append(
                f"instances on {pool.name} are counted with {pool.availability:.1%} of their capacity: "
                "its GPUs are taken back at times"
            )
    return tuple(notes)


def _shortage(fleet: Fleet, outcomes: Sequence[WorkloadOutcome]) -> Iterator[str]:
    """Who gets what where supply is short: each tenant's share of its demand, by priority."""
    if not any(outcome.unserved_per_s > 0 for outcome in outcomes):
        return
    by_name = {outcome.name: outcome for outcome in outcomes}
    for priority in sorted({workload.priority for workload in fleet.workloads}):
        shares: dict[str, list[float]] = defaultdict(list)
        for workload in fleet.workloads:
            if workload.priority == priority:
                outcome = by_name[workload.name]
                missed = outcome.unserved_per_s / outcome.demand_per_s if outcome.unserved_per_s else 0.0
                shares[workload.tenant].append(1.0 - missed)
        said = ", ".join(f"{tenant} {sum(each) / len(each):.1%}" for tenant, each in shares.items())
        yield f"supply is short; served of the demand of priority {priority}, by tenant: {said}"
