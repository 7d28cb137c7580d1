"""How the rows were measured: a closed loop with its initial burst, its lengths, its client's delay."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from benchmarks.silicon.rows import Case, Harness
from models.serving import Configuration, InstanceModel, Overheads
from models.serving.simulator import simulate

__all__ = ["Measured", "client_delay_ms", "lengths", "measure"]

Ints = npt.NDArray[np.int64]
REQUESTS_PER_CLIENT: dict[Harness, int] = {"inferencex": 10, "nvidia": 15}
"""Requests of each client: how much of a run its initial burst is."""
SPREAD = 0.005
"""Half width of the output lengths that TensorRT-LLM's streams end at in NVIDIA's runs, as a share of L.

Waves of equal requests that are packed beside decodes keep together for a whole run; measured TTFT show that
they dissolve. SGLang's do not: prompts that stop the decodes bring a wave together again.
"""
SEED = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """What the harness would report: means over requests, and how often the cache was full."""

    ttft_ms: float
    tpot_ms: float
    pressed: bool


def lengths(case: Case, count: int) -> tuple[Ints, Ints]:
    """Lengths as the harness draws them: uniform from 0.8 L to L (InferenceX), or L."""
    i, o = case.input_tokens, case.output_tokens
    random = np.random.default_rng(SEED)
    if case.harness == "nvidia":
        spread = SPREAD if case.configuration.engine.schedule == "packed" else 0.0
        outputs = np.round(o * random.uniform(1.0 - spread, 1.0 + spread, count))
        return np.full(count, i, np.int64), np.maximum(outputs, 1.0).astype(np.int64)
    return random.integers(int(0.8 * i), i + 1, count), np.maximum(
        random.integers(int(0.8 * o), o + 1, count), 1
    )


def client_delay_ms(engine: str, harness: Harness, delays: dict[str, float]) -> float:
    """Time between the engine's first token and the client's: a property of the client, not of the engine."""
    return delays.get(f"{engine}/{harness}", 0.0)


@lru_cache(maxsize=8192)
def _priced(configuration: Configuration) -> InstanceModel:
    return InstanceModel.of(configuration)


def measure(case: Case, overheads: Overheads, delay_ms: float) -> Measured:
    """Run the closed loop of an aggregated case on the simulator; the client's delay is added afterwards."""
    config = case.configuration
    config = replace(config, engine=replace(config.engine, overheads=replace(overheads, request_ms=0.0)))
    known = _priced(case.configuration)  # the overheads change neither memory nor operators
    instance = InstanceModel(configuration=config, memory=known.memory, curves=known.curves)
    count = REQUESTS_PER_CLIENT[case.harness] * case.concurrency
    inputs, outputs = lengths(case, count)
    run = simulate(instance, inputs, outputs, concurrency=case.concurrency)
    wanted = case.concurrency * (case.input_tokens + case.output_tokens)
    pressed = wanted > 0.85 * instance.memory.kv_cache_tokens
    return Measured(float(run.ttft_ms.mean()) + delay_ms, float(np.nanmean(run.tpot_ms)), pressed)
