"""Splitwise: machines for the power or price of 40 DGX-H100, and the best split of 40 DGX-H100 by trace."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from benchmarks.planner_cases.comparison import Comparison
from benchmarks.planner_cases.data_files import data_file
from models.architecture import architecture
from models.workload import read_azure_trace
from planner.split import RequestSample, Server
from planner.split.performance_table import read_performance_table
from planner.split.pools import SlowdownTargets, equal_budget, rank_splits

PUBLISHED = {"code": [35, 5], "conv": [25, 15]}
MEMORY_BYTES = 8 * 80e9


def _ranked(trace: str, reading: Literal["cached", "new"]) -> list[dict[str, Any]]:
    path = data_file("splitwise/perf_model.csv")
    bloom = architecture("bloom-176b")
    room = MEMORY_BYTES * 0.95 - bloom.weight_bytes("bf16")
    latency = read_performance_table(path, "bloom-176b", "h100-80gb", 8, decode_tokens=reading)
    reference = read_performance_table(path, "bloom-176b", "a100-80gb", 8, decode_tokens=reading)
    requests = read_azure_trace(data_file(f"traces/azure_llm_2023_{trace}.csv"))
    inputs = np.minimum(requests.input_tokens, 8192)
    sample = RequestSample.poisson(inputs, requests.output_tokens, count=1500, seed=0)
    machine = Server(
        latency=latency,
        stages=1,
        gpus=8,
        kv_cache_tokens=room / bloom.kv_cache_bytes_per_token("bf16"),
        prefill_batch_tokens=2048,
    )
    splits = rank_splits(
        sample,
        machine,
        SlowdownTargets(reference=reference),
        machines=40,
        decode_counts=range(5, 40, 5),
        highest_per_s=320,
        resolution_per_s=10,
    )
    return [{"prefill": s.prefill, "decode": s.decode, "rate_per_s": round(s.rate_per_s, 1)} for s in splits]


def run() -> Comparison:
    measured: dict[str, Any] = {
        "iso-power A100 for 40 H100": equal_budget(40, unit=1.75, other_unit=1.0),
        "iso-cost A100 for 40 H100": equal_budget(40, unit=38.0, other_unit=17.6),
    }
    best: dict[str, dict[str, list[int]]] = {"cached": {}, "new": {}}
    for reading in ("new", "cached"):
        for trace in PUBLISHED:
            splits = _ranked(trace, "new" if reading == "new" else "cached")
            measured[f"{trace}, decode looked up by {reading} tokens"] = splits[:4]
            best[reading][trace] = [splits[0]["prefill"], splits[0]["decode"]]
    return Comparison(
        case="splitwise",
        source="Patel et al., Splitwise, ISCA 2024; scripts and perf_model.csv of its simulator",
        published={
            "iso-power A100 for 40 H100": 70,
            "iso-cost A100 for 40 H100": 86,
            "code, best split of 40 H100": PUBLISHED["code"],
            "conv, best split of 40 H100": PUBLISHED["conv"],
        },
        measured=measured,
        agrees={
            "70 DGX-A100 by power": measured["iso-power A100 for 40 H100"] == 70,
            "86 DGX-A100 by price": measured["iso-cost A100 for 40 H100"] == 86,
            "code 35+5, its reading of the table": best["new"]["code"] == PUBLISHED["code"],
            "conv 25+15, its reading of the table": best["new"]["conv"] == PUBLISHED["conv"],
            "code wants more prefill machines than conversation, either reading": all(
                b["code"][0] > b["conv"][0] for b in best.values()
            ),
        },
        assumed=(
            "BLOOM-176B, the default of the released configurations; splits in steps of five as they sweep",
            "1,500 requests drawn from the published Azure traces, Poisson arrivals, prompts cut at 8,192",
            "machines are fixed to a pool: the mixed pool that takes over when a queue is long is left out",
            "95 % of the memory for weights and cache; a request reserves its whole length",
        ),
        notes=(
            "the released simulator looks a decoding batch up by its new tokens, one a request, although the "
            "table was measured by cached tokens; by those decoding is far slower and needs more machines",
        ),
    )
