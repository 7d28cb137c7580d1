"""Closed loops on prefill and decode workers apart.

Mean-value analysis of a closed network: the prefill workers are one queue, the decode workers a delay whose
length depends on how many requests decode. Prompts of the initial burst (one request of each client, a tenth
of all) wait behind each other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.silicon.harness import REQUESTS_PER_CLIENT, Measured
from benchmarks.silicon.rows import Case
from models.errors import InvalidInput
from models.serving import InstanceModel, Overheads
from models.serving.load import Load
from models.workload import LengthDistribution

__all__ = ["measure_disaggregated"]

ROUNDS = 40


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
    service = 1e3 / float(prefill.max_rate_per_s[0])  # between two prompts of a worker
    alone = float(prefill.at_rate(np.array([1e-9])).service_ms[0, 0].max())
    clients = case.concurrency
    running = clients / decoders
    ttft, tpot = alone, 0.0
    for _ in range(ROUNDS):
        tpot = float(decode.decode_ms(np.array([max(running, 1.0)]))[0])
        ttft = _queue(clients, service / workers, max(alone - service / workers, 0.0), (outputs - 1) * tpot)
        rate = clients / (ttft + (outputs - 1) * tpot)
        running = 0.5 * running + 0.5 * rate * (outputs - 1) * tpot / decoders
    burst = alone + service / workers * (clients - 1) / 2
    share = 1.0 / REQUESTS_PER_CLIENT
    held = running * float(decode.instances[0].memory.cache.sequence_bytes(case.input_tokens + outputs / 2))
    pressed = held / decode.dp[0] > 0.85 * decode.cache_room[0]
    return Measured((1 - share) * ttft + share * burst + delay_ms, tpot, bool(pressed))


def _queue(clients: int, service: float, fixed: float, think: float) -> float:
    """Mean time at a queue of a closed network with `think` elsewhere (exact mean-value recursion)."""
    waiting, response = 0.0, service + fixed
    for n in range(1, clients + 1):
        response = service * (1.0 + waiting) + fixed
        waiting = n / (response + think) * (response - fixed)
    return response
