"""Workloads that no instance can serve, however many there are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from models.errors import FulcrumError
from models.hardware import gpu, gpu_names
from planner.candidates.candidate import Candidate
from planner.candidates.enumerate import Refusal, enumerate_candidates
from planner.fleet.fleet import Fleet, ServedWorkload, Target
from planner.plan.cut import cut_label
from planner.plan.outcome import Diagnosis
from planner.report.numbers import duration

__all__ = ["explain_unservable"]

RELAXATIONS = (1.05, 1.1, 1.2, 1.35, 1.5, 2.0, 3.0, 5.0)
"""Factors on the best latency an idle request sees, tried until an instance carries some load within them."""
Change = tuple[str, Fleet]
"""Words for a change of the document, and the fleet it gives."""


def explain_unservable(
    fleet: Fleet, workload: ServedWorkload, accepted: Collection[Candidate], refused: Sequence[Refusal],
    *, find_closest: bool = True,
) -> Diagnosis:  # fmt: skip
    """Return what binds `workload`, which nothing can serve, and the first change found that would.

    With `find_closest` false `closest` is empty: for a caller who looks for changes of its own.
    """
    late = [refusal for refusal in refused if refusal.limit in ("ttft", "tpot")]
    if late:
        return _too_slow(fleet, workload, accepted, late, find_closest=find_closest)
    model = fleet.model(workload.model)
    # The refusal with most GPUs is the one that came closest.
    closest = max(refused, key=_gpus)
    limit = "memory" if any(refusal.limit == "memory" for refusal in refused) else "shape"
    if limit == "memory":
        memory = [refusal for refusal in refused if refusal.limit == "memory"]
        closest = max(memory, key=_gpus)
    failing = "fits no GPU of this fleet" if limit == "memory" else "cannot be cut as the policies say"
    where = f"{cut_label(closest)} on {fleet.pool(closest.pool).gpu.name}"
    return Diagnosis(
        limit="memory" if limit == "memory" else "shape",
        subject=workload.name,
        message=(
            f"workload {workload.name!r} cannot be served: {model.name!r} ({model.architecture.name}, "
            f"{model.weights}) {failing}; even {where} does not: {closest.reason}"
        ),
        closest=_first_that_serves(workload, _fits(fleet, workload)) if find_closest else "",
    )


def _gpus(refusal: Refusal) -> int:
    return refusal.tensor_parallel_size * refusal.pipeline_parallel_size * refusal.data_parallel_size


def _too_slow(
    fleet: Fleet, workload: ServedWorkload, accepted: Collection[Candidate], late: Sequence[Refusal],
    *, find_closest: bool,
) -> Diagnosis:  # fmt: skip
    """Return the diagnosis for targets below what a request that is alone needs."""
    served = {candidate.role for candidate in accepted}
    # Where prefill instances would do, it is the decode side that is late, and the other way round.
    open_late = [refusal for refusal in late if refusal.role not in served]
    best = min(open_late or late, key=lambda r: _lateness(workload, r))
    kind, target = (
        ("ttft", workload.ttft)
        if best.ttft_ms is not None and best.ttft_ms > workload.ttft.limit_ms
        else ("tpot", workload.tpot)
    )
    idle = best.ttft_ms if kind == "ttft" else best.tpot_ms
    message = (
        f"workload {workload.name!r} cannot be served: its {kind.upper()} target p{target.percentile:g} ≤ "
        f"{duration(target.limit_ms)} is below what one idle request needs, {duration(idle)} at best "
        f"({best.role}, {cut_label(best)} on {fleet.pool(best.pool).gpu.name})"
    )
    return Diagnosis(
        limit="ttft" if kind == "ttft" else "tpot",
        subject=workload.name,
        message=message,
        closest=_first_that_serves(workload, _slower_targets(fleet, workload, best)) if find_closest else "",
    )


def _lateness(workload: ServedWorkload, refusal: Refusal) -> float:
    """How many times too slow the worse of the two latencies is."""
    return max(
        (refusal.ttft_ms or 0.0) / workload.ttft.limit_ms, (refusal.tpot_ms or 0.0) / workload.tpot.limit_ms
    )


# -- changes that might help
# ------------------------------------------------------------------------------------


def _first_that_serves(workload: ServedWorkload, changes: Iterator[Change]) -> str:
    """Return the first change under which the workload has a candidate: tried, not guessed."""
    from planner.explain.diagnosis import servable

    for words, changed in changes:
        try:
            only = replace(changed, workloads=tuple(w for w in changed.workloads if w.name == workload.name))
            if servable(enumerate_candidates(only).accepted):
                return words
        except FulcrumError:
            continue
    return "no single change of targets, parallelism, precision or GPU type was found to help"


def _slower_targets(fleet: Fleet, workload: ServedWorkload, best: Refusal) -> Iterator[Change]:
    for factor in RELAXATIONS:
        parts, changed = [], workload
        for kind, idle in (("ttft", best.ttft_ms), ("tpot", best.tpot_ms)):
            target: Target = getattr(workload, kind)
            if idle is not None and idle > target.limit_ms:
                limit = _rounded_up(idle * factor)
                parts.append(f"{kind}_p{target.percentile:g}: {limit:g}ms")
                slower = replace(target, limit_ms=limit)
                changed = replace(changed, ttft=slower) if kind == "ttft" else replace(changed, tpot=slower)
        yield f"{' and '.join(parts)} would work for {workload.name!r}", _with_workload(fleet, changed)


def _rounded_up(ms: float) -> float:
    """Round up to two significant digits."""
    step = 10.0 ** (math.floor(math.log10(ms)) - 1)
    return round(math.ceil(ms / step - 1e-9) * step, 6)


def _with_workload(fleet: Fleet, workload: ServedWorkload) -> Fleet:
    return replace(
        fleet, workloads=tuple(workload if w.name == workload.name else w for w in fleet.workloads)
    )


def _fits(fleet: Fleet, workload: ServedWorkload) -> Iterator[Change]:
    """Changes that make room: more parallelism, smaller precision, other GPUs, and pairs of them."""
    model = fleet.model(workload.model)
    node = max(pool.gpus_per_node for pool in fleet.pools)
    parallel = fleet.policies.parallelism
    tensor = tuple(sorted({*parallel.tensor, *(2**n for n in range(8) if 2**n <= node)}))

    def wider(base: Fleet, pipeline: tuple[int, ...]) -> Fleet:
        degrees = replace(parallel, tensor=tensor, pipeline=pipeline)
        return replace(base, policies=replace(base.policies, parallelism=degrees))

    def lighter(weights: str, kv_cache: str) -> Fleet:
        changed = replace(model, weights=weights, kv_cache=kv_cache)
        return replace(fleet, models=tuple(changed if m.name == model.name else m for m in fleet.models))

    pipelines = tuple(sorted({*parallel.pipeline, 1, 2, 4}))
    if tensor != parallel.tensor:
        yield f"parallelism.tensor: {list(tensor)} would work", wider(fleet, parallel.pipeline)
    if pipelines != parallel.pipeline:
        yield (
            f"parallelism.tensor: {list(tensor)} with parallelism.pipeline: {list(pipelines)} would work",
            wider(fleet, pipelines),
        )
    precisions = [(w, k) for w in ("fp8", "int4") for k in ("fp8",)]
    for weights, kv_cache in precisions:
        words = f"weights: {weights} with kv_cache: {kv_cache} would work for {model.name!r}"
        yield words, lighter(weights, kv_cache)
    yield from _other_gpus(fleet, lambda changed: wider(changed, pipelines))
    for weights, kv_cache in precisions:
        words = f"weights: {weights} with kv_cache: {kv_cache} and all of parallelism.tensor: {list(tensor)}"
        yield (
            f"{words}, parallelism.pipeline: {list(pipelines)} would work",
            wider(lighter(weights, kv_cache), pipelines),
        )


def _other_gpus(fleet: Fleet, widen: Callable[[Fleet], Fleet]) -> Iterator[Change]:
    """The same nodes with a GPU type of more memory, the smallest first."""
    largest = max(pool.gpu.memory_bytes for pool in fleet.pools)
    types = sorted((gpu(name) for name in gpu_names()), key=lambda g: (g.memory_bytes, g.name))
    for kind in types:
        if kind.memory_bytes <= largest:
            continue
        changed = replace(fleet, pools=tuple(replace(pool, gpu=kind) for pool in fleet.pools))
        yield f"nodes with {kind.name} instead would work", changed
        yield f"nodes with {kind.name} instead and wider parallelism would work", widen(changed)
