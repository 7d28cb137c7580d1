"""What one configuration does with requests of fixed lengths: a closed loop, or random arrivals at a rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.errors import InvalidInput
from models.serving.basis import Basis
from models.serving.calibration import calibration
from models.serving.configuration import InstanceModel
from models.serving.simulator import Simulation, simulate
from models.workload.arrivals import arrivals_s, variation_of

__all__ = ["Estimate", "Latency", "estimate", "summary"]

REQUESTS_PER_CLIENT = 10
MIN_REQUESTS = 200


@dataclass(frozen=True, slots=True)
class Latency:
    """A latency over requests, in ms: mean with its 80 % interval, and percentiles."""

    mean: float
    low: float
    high: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What to expect of an instance.

    Parameters
    ----------
    ttft, tpot, latency
        Time to first token, time per output token, end to end; `tpot` is None where requests make one token.
    requests_per_s, output_tokens_per_s_per_gpu
        Throughput.
    kv_cache_tokens, peak_cached_tokens, preemptions
        Capacity of the cache, the most of it in use, and how often it ran full.
    basis
        The weakest of what these numbers rest on.
    """

    ttft: Latency
    tpot: Latency | None
    latency: Latency
    requests_per_s: float
    output_tokens_per_s_per_gpu: float
    kv_cache_tokens: int
    peak_cached_tokens: int
    preemptions: int
    basis: Basis


def estimate(
    instance: InstanceModel,
    *,
    input_tokens: int,
    output_tokens: int,
    concurrency: int | None = None,
    rate_per_s: float | None = None,
    reuse: float = 0.0,
    burstiness: float = 1.0,
    seed: int = 0,
) -> Estimate:
    """Simulate requests of equal lengths; exactly one of `concurrency` and `rate_per_s` is given.

    A closed loop serves ten requests a client, its initial burst included, as the usual benchmarks do.
    `reuse` is the share of each prompt that is found in the cache, `burstiness` the shape of the gamma law of
    the gaps between arrivals.

    Raises
    ------
    InvalidInput
        Both or neither of the two, or values that cannot be.
    """
    if (concurrency is None) == (rate_per_s is None):
        raise InvalidInput("give a concurrency or a rate: one of the two")
    if rate_per_s is None and burstiness != 1.0:
        raise InvalidInput("burstiness is one of arrivals at a rate; a closed loop has none")
    if rate_per_s is not None and not 0 < rate_per_s < float("inf"):
        raise InvalidInput(f"the rate must be positive and finite, got {rate_per_s!r}")
    count = max(REQUESTS_PER_CLIENT * (concurrency or 0), MIN_REQUESTS if rate_per_s else 1)
    arrivals = None
    if rate_per_s is not None:
        arrivals = arrivals_s(10 * count, rate_per_s, variation=variation_of(burstiness), seed=seed)
        count = arrivals.size
    inputs, outputs = np.full(count, input_tokens), np.full(count, output_tokens)
    return summary(
        instance,
        simulate(instance, inputs, outputs, arrivals_s=arrivals, concurrency=concurrency, reuse=reuse),
    )


def summary(instance: InstanceModel, run: Simulation) -> Estimate:
    """Means, percentiles and intervals of a simulation."""
    config = instance.configuration
    known = calibration(config.engine.name, config.gpu.generation)
    full = run.peak_cached_tokens > 0.85 * instance.memory.kv_cache_tokens
    ttft_spread, tpot_spread = (known.ttft_full, known.tpot_full) if full else (known.ttft, known.tpot)

    def latency(values: np.typing.NDArray[np.float64], low: float, high: float) -> Latency:
        mean = float(values.mean())
        p50, p95, p99 = (float(p) for p in np.percentile(values, [50, 95, 99]))
        return Latency(mean, mean * low, mean * high, p50, p95, p99)

    tpot = run.tpot_ms[np.isfinite(run.tpot_ms)]
    span_s = float(run.end_ms.max() - run.sent_ms.min()) / 1e3
    wide = (min(ttft_spread.low, tpot_spread.low), max(ttft_spread.high, tpot_spread.high))
    return Estimate(
        ttft=latency(run.ttft_ms, ttft_spread.low, ttft_spread.high),
        tpot=latency(tpot, tpot_spread.low, tpot_spread.high) if tpot.size else None,
        latency=latency(run.latency_ms, *(wide if not tpot.size else (tpot_spread.low, tpot_spread.high))),
        requests_per_s=run.sent_ms.size / span_s,
        output_tokens_per_s_per_gpu=run.output_tokens_per_s / config.gpus,
        kv_cache_tokens=instance.memory.kv_cache_tokens,
        peak_cached_tokens=run.peak_cached_tokens,
        preemptions=run.preemptions,
        basis=instance.curves.basis,
    )
