"""``python -m benchmarks distserve-curve``: DistServe's attainment curve and queueing formulas, simulated.

Three parts, each with what was published beside it:

- SLO attainment of OPT-66B over the arrival rate with the released coefficients, prefill TP4 and decode
  TP2·PP2, and vLLM's TP4. The lengths of the published runs are nowhere to be had; ours are those of the
  repository's OPT-13B runs, so the difference is reported, not judged.
- Mean TTFT of a queue of equal prompts against the M/D/1 formulas, by the simulator of `planner.split` and by
  the engine simulator of `models.serving` with the same service time.
- The utilisation at which a pipeline of two stages overtakes tensor parallelism of speed-up K.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import machine_record
from benchmarks.planner_cases.distserve_inputs import LENGTHS_NOTE, servers, sharegpt_lengths
from models.architecture import architecture
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, engine
from models.serving.simulator import simulate as simulate_engine
from planner.split import LatencyTargets, RequestSample, crossover_utilization
from planner.split.latency import PolynomialLatency
from planner.split.queueing import mean_ttft, mean_ttft_pipeline, mean_ttft_tensor
from planner.split.simulator import Server, simulate

__all__ = ["main"]

RATES = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
PUBLISHED = {
    "DistServe": (100.0, 100.0, 99.3, 88.3, 84.1, 77.0, 68.9),
    "vLLM": (96.8, 65.1, 51.0, 46.1, 38.3, 28.0, 24.1),
}
"""Per cent, the simulator's column of the paper's comparison (table 2)."""
TARGETS = {"2.5 s, 0.15 s (the paper's text)": (2500.0, 150.0), "0.4 s, 0.1 s (its plots)": (400.0, 100.0)}
COUNTS = (300, 3000)
CROSSOVERS = {1.2: 0.434, 1.42: 0.808, 1.5: 0.936, 1.7: 1.257, 1.9: 1.626}
UTILISATIONS = (0.2, 0.5, 0.8)
DURATION_MS = 100.0


def curves() -> dict[str, Any]:
    """Attainment in per cent at `RATES`, by targets, requests and system, and the largest difference."""
    lengths = sharegpt_lengths()
    ours = servers("distserve", "facebook/opt-66b", layers=64)
    vllm = servers("vllm", "facebook/opt-66b", layers=64)
    systems = {"DistServe": ([ours[4, 1]], [ours[2, 2]]), "vLLM": ([vllm[4, 1]], [])}
    out: dict[str, Any] = {}
    for name, (ttft, tpot) in TARGETS.items():
        targets = LatencyTargets(ttft_ms=ttft, tpot_ms=tpot)
        for count in COUNTS:
            sample = RequestSample.poisson(lengths[:, 0], lengths[:, 1], count=count, seed=0)
            for system, (prefill, decode) in systems.items():
                found = [
                    round(100.0 * targets.share(simulate(sample, rate, prefill=prefill, decode=decode)), 1)
                    for rate in RATES
                ]
                off = np.abs(np.array(found) - PUBLISHED[system])
                out[f"{system}, {name}, {count} requests"] = {
                    "attainment": found,
                    "largest_difference": round(float(off.max()), 1),
                    "rates_within_2_points": int((off <= 2.0).sum()),
                }
    return out


def queue(requests: int) -> dict[str, Any]:
    """Mean TTFT of equal prompts, simulated ÷ M/D/1, by utilisation."""
    out: dict[str, Any] = {}
    for utilisation in UTILISATIONS:
        sample = _equal_prompts(requests)
        rate = utilisation / DURATION_MS * 1e3
        expected = mean_ttft(rate / 1e3, DURATION_MS)
        served = simulate(sample, rate, prefill=[_server(DURATION_MS, 1)], decode=[_server(1.0, 1)])
        out[str(utilisation)] = {
            "planner.split": round(float(served.ttft_ms.mean()) / expected, 4),
            "models.serving": round(_engine_queue(sample, utilisation), 4),
        }
    return out


def crossovers(requests: int) -> dict[str, Any]:
    """Where the pipeline overtakes, and whether the simulator agrees a twentieth below and above it."""
    sample = _equal_prompts(requests)
    decode = [_server(1.0, 1)]
    out: dict[str, Any] = {}
    for speed_up, published in CROSSOVERS.items():
        at = crossover_utilization(speed_up)
        wins, off = {}, []
        for share in (0.95, 1.05):
            rate = share * at / DURATION_MS * 1e3
            tensor, pipeline = (
                float(simulate(sample, rate, prefill=[server], decode=decode).ttft_ms.mean())
                for server in (_server(DURATION_MS / speed_up, 1), _server(DURATION_MS, 2))
            )
            wins[str(share)] = "tensor" if tensor < pipeline else "pipeline"
            off += [
                tensor / mean_ttft_tensor(rate / 1e3, DURATION_MS, speed_up=speed_up) - 1,
                pipeline / mean_ttft_pipeline(rate / 1e3, DURATION_MS) - 1,
            ]
        out[str(speed_up)] = {
            "crossover": round(at, 3),
            "published": published,
            "simulated_winner": wins,
            "mean_ttft_off_by_at_most": round(max(map(abs, off)), 4),
        }
    return out


def _equal_prompts(requests: int) -> RequestSample:
    return RequestSample.poisson(np.array([512]), np.array([1]), count=requests, seed=0)


def _server(duration_ms: float, stages: int) -> Server:
    """One prompt at a time, each in `duration_ms` over all stages."""
    latency = PolynomialLatency(
        prefill=(duration_ms, 0.0, 0.0), decode_small=(1.0, 0.0, 0.0), decode_large=(1.0, 0.0, 0.0),
        large_batch=1, stages=stages,
    )  # fmt: skip
    return Server(latency=latency, stages=stages, gpus=1, kv_cache_tokens=10**9, prefill_batch_tokens=512)


def _engine_queue(sample: RequestSample, utilisation: float) -> float:
    """Mean TTFT over M/D/1 of the engine simulator that takes one prompt a step."""
    instance = InstanceModel.of(
        Configuration(
            architecture=architecture("llama-3.1-8b"), gpu=gpu("l4"),
            parallelism=Parallelism(tensor_parallel_size=2), engine=engine("vllm"), role="prefill",
            max_num_seqs=256, max_num_batched_tokens=512,
        )
    )  # fmt: skip
    ones = np.ones(len(sample), np.int64)
    alone = float(simulate_engine(instance, ones[:1] * 512, ones[:1], concurrency=1).ttft_ms[0])
    overheads = instance.configuration.overheads
    front = overheads.request_ms + overheads.prompt_ms_per_1k * 0.512  # beside the engine, not in its queue
    service = alone - front
    arrivals = sample.arrivals_s(utilisation / service * 1e3)
    run = simulate_engine(instance, ones * 512, ones, arrivals_s=arrivals)
    return float(run.ttft_ms.mean() - front) / mean_ttft(utilisation / service, service)


def main(arguments: Sequence[str]) -> int:
    """Run all three parts, print and write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks distserve-curve", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="of the queueing parts")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    record = {
        "benchmark": "distserve-curve",
        "source": "Zhong et al., DistServe, OSDI 2024, table 2 and section 3.1",
        "machine": machine_record("numpy"),
        "lengths": LENGTHS_NOTE,
        "rates_per_s": RATES,
        "published_attainment": PUBLISHED,
        "attainment": curves(),
        "simulated_over_m_d_1": queue(given.requests),
        "crossovers": crossovers(given.requests),
    }
    text = json.dumps(record, indent=2)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")
    return 0
