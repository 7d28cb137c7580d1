"""Closed loops on prefill and decode workers apart, and the two constants they need of each engine.

The client is answered by the decode worker: its first token comes after the cache has crossed, the worker has
taken the request and made a step. What that hand-over costs besides, and how long a step of a worker takes
that only decodes, compared with the constants fitted on mixed ones, is fitted for each engine: medians over
rows, drawn to those of all engines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from benchmarks.silicon.calibrate import Sample
from benchmarks.silicon.harness import REQUESTS_PER_CLIENT, Measured, lengths
from benchmarks.silicon.rows import Case
from models.errors import FulcrumError, InvalidInput
from models.serving import Configuration, InstanceModel, Overheads
from models.serving.calibration import Handover
from models.serving.disaggregated import simulate_clients

__all__ = ["fit_handover", "leave_models_out", "measure_disaggregated", "remembered"]

MOST_REQUESTS = 40_000
"""Requests simulated at most: a run of more clients than a tenth of that is cut short, not its burst."""
PRIOR_ROWS = 10.0
"""How many rows of its own weigh as much as what is known of all engines."""
QUIET_MS = 1000.0
"""TTFT without a hand-over up to which a row tells its length: prompts that queue hide it."""
ROUNDS = 2
Found = Callable[[Case, Handover], Measured]


@lru_cache(maxsize=1024)
def _priced(configuration: Configuration) -> InstanceModel:
    return InstanceModel.of(configuration)


def measure_disaggregated(case: Case, overheads: Overheads, delay_ms: float, handover: Handover) -> Measured:
    """Mean TTFT and TPOT of a disaggregated case.

    Raises
    ------
    InvalidInput
        The case has no prefill workers.
    """
    if case.prefill is None:
        raise InvalidInput("an aggregated case")
    share = handover.step_share
    own = replace(overheads, request_ms=0.0)
    slower = replace(
        own,
        linear_scale=own.linear_scale * share,
        kernel_ms=own.kernel_ms * share,
        step_ms=own.step_ms * share,
        sequence_ms=own.sequence_ms * share,
    )
    prefill, decode = _with(case.prefill, own), _with(case.configuration, slower)
    clients = case.concurrency
    count = max(min(REQUESTS_PER_CLIENT[case.harness] * clients, MOST_REQUESTS), 3 * clients)
    inputs, outputs = lengths(case, count)
    run = simulate_clients(
        prefill,
        decode,
        inputs,
        np.maximum(outputs, 3),
        concurrency=clients,
        prefill_instances=case.workers[0],
        decode_instances=case.workers[1],
    )
    ttft = float((run.first_step_ms - run.sent_ms).mean()) + handover.handover_ms + delay_ms
    # the first token came with the first step of the decode worker
    tpot = float(((run.end_ms - run.first_step_ms) / (np.maximum(outputs, 3) - 2.0)).mean())
    held = -(-clients // case.workers[1]) * (case.input_tokens + case.output_tokens)
    return Measured(ttft, tpot, held > 0.85 * decode.memory.kv_cache_tokens)


def fit_handover(samples: Sequence[Sample], found: Found) -> dict[str, Handover]:
    """The constants of each engine on its disaggregated rows; under ``""`` those of an engine without any."""
    at = {name: Handover() for name in {"", *(s.case.configuration.engine.name for s in samples)}}
    for _ in range(ROUNDS):
        at = _better(samples, found, at)
    return at


def leave_models_out(
    samples: Sequence[Sample], found: Found, at: Mapping[str, Handover]
) -> dict[str, dict[str, Handover]]:
    """For each model, the constants without any row of it, from the errors at those of all rows."""
    models = sorted({s.case.model for s in samples})
    return {m: _better([s for s in samples if s.case.model != m], found, at) for m in models}


def _better(samples: Sequence[Sample], found: Found, at: Mapping[str, Handover]) -> dict[str, Handover]:
    """Constants that repair the errors of these rows at given ones."""
    shares: dict[str, list[float]] = {}
    delays: dict[str, list[float]] = {}
    for sample in samples:
        name = sample.case.configuration.engine.name
        try:
            run = found(sample.case, at[name])
        except FulcrumError:
            continue
        step = np.log(at[name].step_share * sample.tpot_ms / run.tpot_ms)
        shares.setdefault(name, []).append(float(step))
        quiet = run.ttft_ms - at[name].handover_ms
        if quiet <= QUIET_MS:
            delays.setdefault(name, []).append(sample.ttft_ms - quiet)
    return {
        name: Handover(
            step_share=float(np.exp(_drawn(shares, name))), handover_ms=max(_drawn(delays, name), 0.0)
        )
        for name in at
    }


def _drawn(values: dict[str, list[float]], name: str) -> float:
    """The median of an engine's rows, drawn to the median of all engines and of one without a difference."""
    common = float(np.median([0.0, *(np.median(some) for some in values.values())]))
    mine = values.get(name, [])
    if not mine:
        return common
    return (len(mine) * float(np.median(mine)) + PRIOR_ROWS * common) / (len(mine) + PRIOR_ROWS)


def remembered(run: Found) -> Found:
    """The same function, which simulates no case twice with the same constants."""
    known: dict[tuple[Case, Handover], Measured] = {}

    def found(case: Case, handover: Handover) -> Measured:
        key = case, handover
        if key not in known:
            known[key] = run(case, handover)
        return known[key]

    return found


def _with(configuration: Configuration, overheads: Overheads) -> InstanceModel:
    """An instance with those overheads, which change neither its memory nor its operators."""
    known = _priced(configuration)
    changed = replace(configuration, engine=replace(configuration.engine, overheads=overheads))
    return InstanceModel(configuration=changed, memory=known.memory, curves=known.curves)
