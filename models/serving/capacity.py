"""The largest rate an instance sustains within its latency targets, what to expect there, and what binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from models.serving.basis import Basis
from models.serving.configuration import InstanceModel
from models.workload import POISSON, Burstiness, LengthDistribution

__all__ = [
    "Capacity",
    "Limit",
    "Table",
    "Targets",
    "binding",
    "blocked",
    "capacities",
    "capacities_of",
    "impossible",
    "reached",
    "why_not",
]

Limit = Literal["memory", "ttft", "tpot", "throughput", "max_num_seqs"]
"""What keeps an instance from more: the KV cache (or the weights), a latency target, its compute, or the
engine's own limit on the batch.
"""

MAX_UTILISATION = 0.90
"""Share of the most it can process that an instance is planned for: beyond, an error of a few per cent in the
model or in the rate decides between a short queue and one without end.
"""
STEPS = 20
"""Halvings of an interval when a bound is searched: rates and latencies are multiples of 2⁻²⁰ of its top."""
ROUNDING = 1e-9
"""What a share of the requests may lack of the wanted one and still be it."""
COMPILED_FROM = 2000
"""Rows from which the compiled analysis is worth loading: fewer are done sooner without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Latencies that a share of the requests must not exceed.

    Parameters
    ----------
    ttft_ms, ttft_percentile
        Time to first token, milliseconds, and the percentile (0–100) it holds at.
    tpot_ms, tpot_percentile
        Mean time per output token after the first, of each request.
    """

    ttft_ms: float
    tpot_ms: float
    ttft_percentile: float = 95.0
    tpot_percentile: float = 95.0

    def __post_init__(self) -> None:
        for name in ("ttft_ms", "tpot_ms"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"{name} must be positive, got {getattr(self, name)!r}")
        for name in ("ttft_percentile", "tpot_percentile"):
            if not 0 < getattr(self, name) < 100:
                raise InvalidInput(f"{name} must be between 0 and 100, got {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What an instance does at one rate.

    Parameters
    ----------
    feasible
        Whether the targets are met.
    rate_per_s
        Requests per second; of an infeasible instance 0.
    ttft_ms, tpot_ms
        Latencies at the targets' percentiles; None where the role has no such phase. An infeasible instance
        shows those of a request that is alone.
    concurrency
        Mean number of running requests.
    cache_share
        Share of the KV cache that is exceeded 1 % of the time.
    limit, reason
        What binds, and a sentence that says so with numbers; for an infeasible one also what would work.
    basis
        The weakest of what these numbers rest on.
    """

    feasible: bool
    rate_per_s: float
    ttft_ms: float | None
    tpot_ms: float | None
    concurrency: float
    cache_share: float
    limit: Limit
    reason: str
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Instances for one kind of requests.

    Parameters
    ----------
    instances
        Rows.
    lengths, targets, reuse, burstiness
        Of the requests.
    """

    instances: Sequence[InstanceModel]
    lengths: LengthDistribution
    targets: Targets
    reuse: float = 0.0
    burstiness: Burstiness = POISSON


def capacities(
    instances: Sequence[InstanceModel],
    lengths: LengthDistribution,
    targets: Targets,
    *,
    reuse: float = 0.0,
    burstiness: Burstiness = POISSON,
) -> tuple[Capacity, ...]:
    """The largest rate of each instance within the targets.

    `reuse`: share of each prompt that is found in the cache, in 0..1, as of `simulator.simulate`.
    """
    table = Table(instances=instances, lengths=lengths, targets=targets, reuse=reuse, burstiness=burstiness)
    return capacities_of([table])[0]


def capacities_of(tables: Sequence[Table], *, rows: int | None = None) -> list[tuple[Capacity, ...]]:
    """The largest rate of each instance of each table within the table's targets.

    Many rows go through compiled code (`models.serving.analysis`), few through the arrays that it is tested
    against (`operating.capacities_by_halving`). Which of the two depends on the number of rows only.

    Parameters
    ----------
    rows
        Rows that are asked for in all, where this is one of several calls; default: those of `tables`.
    """
    if rows is None:
        rows = sum(len(table.instances) for table in tables)
    if rows < COMPILED_FROM:
        from models.serving.operating import capacities_by_halving

        return [
            capacities_by_halving(t.instances, t.lengths, t.targets, reuse=t.reuse, burstiness=t.burstiness)
            for t in tables
        ]
    from models.serving.analysis.table import tables_by_kernel

    return tables_by_kernel(tables)


def reached(wanted_percentile: float) -> float:
    """The share of requests that counts as the percentile; targets and stated latencies must agree on it."""
    return wanted_percentile / 100 - ROUNDING


def blocked(instance: InstanceModel, longest_tokens: float, longest_input_tokens: float) -> str | None:
    """Why an instance can serve nothing at all, before any latency is looked at."""
    memory, config = instance.memory, instance.configuration
    needed = longest_tokens if config.role != "prefill" else longest_input_tokens
    if not memory.fits:
        taken = memory.weight_bytes + memory.activation_bytes + memory.workspace_bytes
        return (
            f"needs {taken / 1e9:.1f} GB a GPU before any cache ({memory.weight_bytes / 1e9:.1f} GB of "
            f"weights), and {config.gpu.name} has {memory.total_bytes / 1e9:.1f} GB"
        )
    one = float(memory.cache.sequence_bytes(needed))
    if one > memory.kv_cache_bytes:
        return (
            f"the longest request ({needed:,.0f} tokens) needs {one / 1e9:.2f} GB of cache a GPU, and "
            f"{memory.kv_cache_bytes / 1e9:.2f} GB are left beside the weights"
        )
    if needed > config.architecture.max_context_tokens:
        most = config.architecture.max_context_tokens
        return f"the longest request ({needed:,.0f} tokens) exceeds the model's context of {most:,}"
    return None


def impossible(
    instance: InstanceModel, limit: Limit, reason: str, ttft_ms: float | None, tpot_ms: float | None
) -> Capacity:
    """A capacity of nothing, with the latencies of a request that is alone."""
    role = instance.configuration.role
    return Capacity(
        feasible=False,
        rate_per_s=0.0,
        ttft_ms=None if role == "decode" else ttft_ms,
        tpot_ms=None if role == "prefill" else tpot_ms,
        concurrency=0.0,
        cache_share=0.0,
        limit=limit,
        reason=reason,
        basis=instance.curves.basis,
    )


def why_not(
    targets: Targets, *, ttft_ms: float, tpot_ms: float, ttft_met: bool, tpot_met: bool, room_bytes: float
) -> tuple[Limit, str]:
    """The limit that a single request already breaks, in words, with the value that would work."""
    said = []
    if not ttft_met:
        said.append(
            f"idle TTFT p{targets.ttft_percentile:g} is {ttft_ms:.0f} ms > target {targets.ttft_ms:g} ms; "
            f"a target of {np.ceil(ttft_ms * 1.05):.0f} ms would work"
        )
    if not tpot_met:
        said.append(
            f"idle TPOT p{targets.tpot_percentile:g} is {tpot_ms:.1f} ms > target {targets.tpot_ms:g} ms; "
            f"a target of {np.ceil(tpot_ms * 10.5) / 10:.1f} ms would work"
        )
    if not said:
        return "memory", f"its cache ({room_bytes / 1e9:.2f} GB a GPU) cannot hold one typical request"
    return ("tpot" if ttft_met else "ttft"), "; ".join(said)


def binding(instance: InstanceModel, limit: Limit, targets: Targets, utilisation: float) -> str:
    """What binds, in words."""
    match limit:
        case "memory":
            return f"KV cache of {instance.memory.kv_cache_tokens:,} tokens is full at times"
        case "ttft":
            return f"TTFT p{targets.ttft_percentile:g} reaches {targets.ttft_ms:g} ms"
        case "tpot":
            return f"TPOT p{targets.tpot_percentile:g} reaches {targets.tpot_ms:g} ms"
        case "max_num_seqs":
            return f"max_num_seqs {instance.configuration.max_num_seqs} is reached at times"
        case "throughput":
            return f"steps are busy with prompts {min(utilisation, 1.0):.0%} of the time"
