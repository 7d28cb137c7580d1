"""A table of instances as arrays, and its capacities by the compiled analysis."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from models.serving.analysis.columns import LEVELS, PARAMETERS, RESULTS
from models.serving.capacity import (
    MAX_UTILISATION,
    Capacity,
    Table,
    Targets,
    binding,
    blocked,
    impossible,
    reached,
    why_not,
)
from models.serving.configuration import InstanceModel
from models.serving.curves import BATCHES, CONTEXTS, TOKENS
from models.serving.load import RARE, SPREAD
from models.serving.operating import Bounds
from models.serving.requests import Requests
from models.workload import POISSON, Burstiness, LengthDistribution

__all__ = ["analyse_table", "capacities_by_kernel", "tables_by_kernel"]

Floats = npt.NDArray[np.float64]

PART = 256
"""Rows computed by one thread at a time."""


def capacities_by_kernel(
    instances: Sequence[InstanceModel],
    lengths: LengthDistribution,
    targets: Targets,
    *,
    reuse: float = 0.0,
    burstiness: Burstiness = POISSON,
) -> tuple[Capacity, ...]:
    """See `models.serving.capacity.capacities`."""
    table = Table(instances=instances, lengths=lengths, targets=targets, reuse=reuse, burstiness=burstiness)
    return tables_by_kernel([table])[0]


def tables_by_kernel(tables: Sequence[Table]) -> list[tuple[Capacity, ...]]:
    """See `models.serving.capacity.capacities_of`; the parts of all tables share the processors."""
    stopped = [
        [blocked(i, t.lengths.longest_request_tokens, float(t.lengths.input_tokens[-1])) for i in t.instances]
        for t in tables
    ]
    requests: dict[tuple[int, float], Requests] = {}
    prepared = []
    for table, why in zip(tables, stopped, strict=True):
        key = id(table.lengths), table.reuse
        known = requests.get(key) or Requests.of(table.lengths, reuse=table.reuse)
        requests[key] = known
        open_ = [i for i, stop in zip(table.instances, why, strict=True) if stop is None]
        prepared.append(_prepared(open_, known, table.targets, table.burstiness))
    _run([part for _, parts in prepared for part in parts])
    found = []
    for table, why, (result, _) in zip(tables, stopped, prepared, strict=True):
        rows = iter(result.tolist())
        found.append(
            tuple(
                _capacity(instance, dict(zip(RESULTS, next(rows), strict=True)), table.targets)
                if stop is None
                else impossible(instance, "memory", stop, None, None)
                for instance, stop in zip(table.instances, why, strict=True)
            )
        )
    return found


def analyse_table(
    instances: Sequence[InstanceModel], lengths: LengthDistribution, targets: Targets
) -> Floats:
    """float64[instance, RESULTS]: the highest rate of each instance within the targets, its state there."""
    result, parts = _prepared(instances, Requests.of(lengths), targets)
    _run(parts)
    return result


def _run(parts: Sequence[Callable[[], None]]) -> None:
    """Compute all parts; the kernels work outside of Python's lock."""
    if parts:
        parts[0]()  # compiled here, once, if it has to be
    if len(parts) > 1:
        with ThreadPoolExecutor(min(len(parts) - 1, os.cpu_count() or 1)) as pool:
            list(pool.map(lambda part: part(), parts[1:]))


def _prepared(
    instances: Sequence[InstanceModel],
    requests: Requests,
    targets: Targets,
    burstiness: Burstiness = POISSON,
) -> tuple[Floats, list[Callable[[], None]]]:
    """The result of a table, still empty, and the calls that fill it.

    What rows have in common (curves, caches) is put into arrays once.
    """
    from models.serving.analysis.search import analyse

    result = np.zeros((len(instances), len(RESULTS)))
    if not instances:
        return result, []
    curves = {id(i.curves): i.curves for i in instances}
    places = {key: place for place, key in enumerate(curves)}
    caches = list(dict.fromkeys(i.memory.cache for i in instances))
    cache_places = {cache: place for place, cache in enumerate(caches)}
    parameters = _parameters(instances)
    curve_of = np.array([places[id(i.curves)] for i in instances])
    cache_of = np.array([cache_places[i.memory.cache] for i in instances])
    shared = (
        TOKENS,
        np.stack([c.linear_ms for c in curves.values()]),
        np.stack([c.experts_ms for c in curves.values()]),
        np.stack([c.head_ms for c in curves.values()]),
        np.stack([c.send_ms for c in curves.values()]),
        np.stack([requests.prompt_attention(c.prefill_attention_ms) for c in curves.values()]),
        BATCHES,
        _at_context(np.stack([c.decode_attention_ms for c in curves.values()]), requests.context),
        np.array([requests.cache_moments(c) for c in caches]),
        (
            requests.inputs,
            requests.input_weight,
            requests.steps,
            requests.output_weight,
            requests.computed,
        ),
        requests.mean_steps,
        float((requests.computed * requests.input_weight).sum()),
        _bounds(targets, burstiness),
    )

    def part(start: int) -> None:
        rows = slice(start, start + PART)
        analyse(
            parameters[rows],
            curve_of[rows],
            cache_of[rows],
            *shared,
            result[rows],
            *_scratch(parameters, requests),
        )

    return result, [partial(part, start) for start in range(0, len(instances), PART)]


def _parameters(instances: Sequence[InstanceModel]) -> Floats:
    """float64[instance, PARAMETERS]."""
    overheads: dict[tuple[int, str], Any] = {}
    handovers: dict[tuple[int, str], float] = {}
    rows = []
    for instance in instances:
        c, curves, p = instance.configuration, instance.curves, instance.configuration.parallelism
        key = (id(c.engine), c.gpu.generation)
        if key not in overheads:
            overheads[key] = c.overheads
        o, handover = overheads[key], 0.0
        if c.role == "prefill":
            width = (id(c.architecture), c.kv_cache)
            if width not in handovers:
                handovers[width] = c.architecture.kv_cache_bytes_per_token(c.kv_cache)
            handover = handovers[width] / c.kv_transfer_bytes_per_s * 1e3
        rows.append(
            (
                p.data_parallel_size, p.pipeline_parallel_size, curves.stage_share, c.max_num_batched_tokens,
                c.max_num_seqs, instance.memory.kv_cache_bytes, o.linear_scale, o.prefill_scale,
                curves.small_kernels * o.kernel_ms + o.step_ms,
                o.sequence_ms / p.data_parallel_size,
                curves.small_kernels * o.prefill_kernel_ms, c.engine.schedule == "prefill_first",
                c.role != "prefill", c.role != "decode", o.request_ms, o.prompt_ms_per_1k, handover,
                (c.engine.poll_steps - 1) / 2.0, *instance.drafts,
            )
        )  # fmt: skip
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(PARAMETERS))


def _scratch(parameters: Floats, requests: Requests) -> tuple[Any, Any, Floats]:
    """What the search of a row works with: laws over running requests, tables of levels, its own state."""
    most = int(parameters[:, PARAMETERS.index("seqs")].max()) + 1
    laws = (np.zeros(most), np.zeros(3), np.zeros(most), np.zeros(most))
    made = (np.zeros((LEVELS, 10)), np.zeros((LEVELS, 8)), np.zeros((LEVELS, requests.inputs.size)))
    return laws, made, np.zeros(8)


def _bounds(targets: Targets, burstiness: Burstiness) -> Floats:
    """In the order of `search.analyse`."""
    ttft, tpot = reached(targets.ttft_percentile), reached(targets.tpot_percentile)
    arrivals = burstiness.excess, burstiness.rate_per_s / 1e3
    return np.array([targets.ttft_ms, ttft, targets.tpot_ms, tpot, MAX_UTILISATION, RARE, SPREAD, *arrivals])


def _at_context(table: Floats, context: float) -> Floats:
    """float64[curve, BATCHES]: decode attention at one context, as `load` interpolates it."""
    j = int(np.clip(np.searchsorted(CONTEXTS, context), 1, CONTEXTS.size - 1))
    f = (max(context, 1.0) - CONTEXTS[j - 1]) / (CONTEXTS[j] - CONTEXTS[j - 1])
    return np.ascontiguousarray(table[:, :, j - 1] * (1.0 - f) + table[:, :, j] * f)


def _capacity(instance: InstanceModel, found: dict[str, float], targets: Targets) -> Capacity:
    role = instance.configuration.role
    if not found["possible"]:
        limit, reason = why_not(
            targets, ttft_ms=found["ttft_ms"], tpot_ms=found["tpot_ms"], ttft_met=bool(found["ttft_met"]),
            tpot_met=bool(found["tpot_met"]), room_bytes=instance.memory.kv_cache_bytes,
        )  # fmt: skip
        return impossible(instance, limit, reason, found["ttft_ms"], found["tpot_ms"])
    limit = (*Bounds.names, "throughput")[int(found["limit"])]
    return Capacity(
        feasible=True,
        rate_per_s=found["rate_per_s"],
        ttft_ms=None if role == "decode" else found["ttft_ms"],
        tpot_ms=None if role == "prefill" else found["tpot_ms"],
        concurrency=found["running"],
        cache_share=found["cache_bytes"] / instance.memory.kv_cache_bytes,
        limit=limit,
        reason=binding(instance, limit, targets, found["utilisation"]),
        basis=instance.curves.basis,
    )
