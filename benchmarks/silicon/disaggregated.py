"""Closed loops on prefill and decode workers apart.

Mean-value analysis of a closed network (Schweitzer's approximation): the prefill workers are one queue, the
decode workers a delay whose length depends on how many requests decode. Prompts of the initial burst (one
request of each client) wait behind each other.

A worker with data-parallel attention steps as fast as its busiest rank. Prompts come one at a time, so that a
rank rarely has company: a prompt alone takes longer by a power of the ranks, and a full worker yields less
than its ranks together. Behind the prefill stands the hand-over: the cache crosses, the decode worker admits
the request, and the first tokens reach the client.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.silicon.harness import REQUESTS_PER_CLIENT, Measured
from benchmarks.silicon.rows import Case
from models.errors import InvalidInput
from models.serving import InstanceModel, Overheads
from models.serving.load import Load
from models.workload import LengthDistribution

__all__ = ["HANDOVER", "Handover", "measure_disaggregated"]

ROUNDS = 40
DECODE_FACTOR = 0.9
"""Time of a step on an instance that only decodes, by that of the constants fitted on mixed ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """What it costs an engine to prefill and decode apart: round figures, set on rows with worker counts.

    Parameters
    ----------
    alone_power
        A prompt alone on a worker of n data-parallel ranks takes n to this power as long as on a rank.
    full_factor
        A full data-parallel worker takes that many times as long for a prompt as its ranks together would.
    fixed_ms, decode_steps
        Between the end of a prefill and the first token at the client: fixed, and in steps of the decoder.
    """

    alone_power: float
    full_factor: float
    fixed_ms: float
    decode_steps: float


HANDOVER = {
    "sglang": Handover(alone_power=1.0, full_factor=2.0, fixed_ms=0.0, decode_steps=2.0),
    "tensorrt-llm": Handover(alone_power=0.75, full_factor=2.0, fixed_ms=30.0, decode_steps=5.0),
    "vllm": Handover(alone_power=0.75, full_factor=2.0, fixed_ms=200.0, decode_steps=0.0),
}


def measure_disaggregated(case: Case, overheads: Overheads, delay_ms: float) -> Measured:
    """Mean TTFT and TPOT of a disaggregated case.

    Raises
    ------
    InvalidInput
        The case has no prefill workers.
    """
    if case.prefill is None:
        raise InvalidInput("an aggregated case")
    mean = 0.9 if case.harness == "inferencex" else 1.0  # lengths are uniform from 0.8 L to L
    outputs = max(case.output_tokens * mean, 2.0)
    lengths = LengthDistribution.fixed(case.input_tokens * mean, outputs)
    engine = replace(case.configuration.engine, overheads=replace(overheads, request_ms=0.0))
    prefill = Load([InstanceModel.of(replace(case.prefill, engine=engine, role="prefill"))], lengths)
    decode = Load([InstanceModel.of(replace(case.configuration, engine=engine, role="decode"))], lengths)
    workers, decoders = case.workers
    over = HANDOVER[engine.name]
    ranks = case.prefill.parallelism.data_parallel_size
    service = 1e3 / float(prefill.max_rate_per_s[0])  # between two prompts of a worker
    service *= (over.full_factor if ranks > 1 else 1.0) / workers
    alone = float(prefill.at_rate(np.array([1e-9])).service_ms[0, 0].max()) * ranks**over.alone_power
    clients = case.concurrency
    running = clients / decoders
    ttft, tpot = alone, 0.0
    for _ in range(ROUNDS):
        tpot = DECODE_FACTOR * float(decode.decode_ms(np.array([max(running, 1.0)]))[0])
        between = over.fixed_ms + over.decode_steps * tpot
        life = (outputs - 1) * tpot
        ttft = _response(clients, service, max(alone - service, 0.0), between + life) + between
        rate = clients / (ttft + life)
        running = 0.5 * running + 0.5 * rate * life / decoders
    burst = alone + service * (clients - 1) / 2 + between
    share = 1.0 / REQUESTS_PER_CLIENT[case.harness]
    held = running * float(decode.instances[0].memory.cache.sequence_bytes(case.input_tokens + outputs / 2))
    pressed = held / decode.dp[0] > 0.85 * decode.cache_room[0]
    return Measured((1 - share) * ttft + share * burst + delay_ms, tpot, bool(pressed))


def _response(clients: int, service: float, fixed: float, think: float) -> float:
    """Mean time at a queue and a fixed delay behind it, of a closed network with `think` elsewhere.

    With r = service (1 + (n − 1) r / (r + fixed + think)), Schweitzer's approximation: a quadratic in r.
    """
    rest = fixed + think
    over = service * clients - rest
    return fixed + (over + math.sqrt(over * over + 4.0 * service * rest)) / 2.0
