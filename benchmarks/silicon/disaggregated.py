"""Closed loops on prefill and decode workers apart, and the constant they need of each engine.

The client is answered by the decode worker: its first token comes after the cache has crossed, the worker
has taken the request and made a step. What that hand-over costs besides is fitted for each engine: the median
over rows, drawn to that of all engines. Steps take what the constants fitted on mixed workers say: a factor
for decode workers, fitted on the few models there are, made the models left out worse.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from benchmarks.silicon.calibrate import Sample
from benchmarks.silicon.harness import REQUESTS_PER_CLIENT, Measured, lengths
from benchmarks.silicon.rows import Case
from models.errors import FulcrumError, InvalidInput
from models.serving import Configuration, InstanceModel, Overheads
from models.serving.disaggregated import simulate_clients

__all__ = ["fit_handover", "leave_models_out", "measure_disaggregated", "remembered"]

MOST_REQUESTS = 40_000
"""Requests simulated at most: a run of more clients than a tenth of that is cut short, not its burst."""
PRIOR_ROWS = 10.0
"""How many rows of its own weigh as much as what is known of all engines."""
QUIET_MS = 1000.0
"""TTFT without a hand-over up to which a row tells its length: prompts that queue hide it."""
Found = Callable[[Case, float], Measured]


@lru_cache(maxsize=1024)
def _priced(configuration: Configuration) -> InstanceModel:
    return InstanceModel.of(configuration)


def measure_disaggregated(case: Case, overheads: Overheads, delay_ms: float) -> Measured:
    """Mean TTFT and TPOT of a disaggregated case.

    `delay_ms` is what no simulation says: the hand-over and the delay of the client.

    Raises
    ------
    InvalidInput
        The case has no prefill workers.
    """
    if case.prefill is None:
        raise InvalidInput("an aggregated case")
    own = replace(overheads, request_ms=0.0)
    prefill, decode = _with(case.prefill, own), _with(case.configuration, own)
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
    ttft = float((run.first_step_ms - run.sent_ms).mean()) + delay_ms
    # the first token came with the first step of the decode worker
    tpot = float(((run.end_ms - run.first_step_ms) / (np.maximum(outputs, 3) - 2.0)).mean())
    held = -(-clients // case.workers[1]) * (case.input_tokens + case.output_tokens)
    return Measured(ttft, tpot, held > 0.85 * decode.memory.kv_cache_tokens)


def fit_handover(samples: Sequence[Sample], found: Found) -> dict[str, float]:
    """The hand-over of each engine on its disaggregated rows, in ms; under ``""`` that of one without any."""
    delays: dict[str, list[float]] = {"": []}
    for sample in samples:
        name = sample.case.configuration.engine.name
        try:
            quiet = found(sample.case, 0.0).ttft_ms
        except FulcrumError:
            continue
        if quiet <= QUIET_MS:
            delays.setdefault(name, []).append(sample.ttft_ms - quiet)
    return {name: max(_drawn(delays, name), 0.0) for name in delays}


def leave_models_out(samples: Sequence[Sample], found: Found) -> dict[str, dict[str, float]]:
    """For each model, the constants without any row of it."""
    models = sorted({s.case.model for s in samples})
    names = {s.case.configuration.engine.name for s in samples}
    out = {}
    for model in models:
        fitted = fit_handover([s for s in samples if s.case.model != model], found)
        out[model] = {name: fitted.get(name, fitted[""]) for name in names}
    return out


def _drawn(values: dict[str, list[float]], name: str) -> float:
    """The median of an engine's rows, drawn to the median of all engines and of one without a difference."""
    common = float(np.median([0.0, *(np.median(some) for some in values.values() if some)]))
    mine = values.get(name, [])
    if not mine:
        return common
    return (len(mine) * float(np.median(mine)) + PRIOR_ROWS * common) / (len(mine) + PRIOR_ROWS)


def remembered(run: Found) -> Found:
    """The same function, which simulates no case twice with the same constants."""
    known: dict[tuple[Case, float], Measured] = {}

    def found(case: Case, handover_ms: float) -> Measured:
        key = case, handover_ms
        if key not in known:
            known[key] = run(case, handover_ms)
        return known[key]

    return found


def _with(configuration: Configuration, overheads: Overheads) -> InstanceModel:
    """An instance with those overheads, which change neither its memory nor its operators."""
    known = _priced(configuration)
    changed = replace(configuration, engine=replace(configuration.engine, overheads=overheads))
    return InstanceModel(configuration=changed, memory=known.memory, curves=known.curves)
