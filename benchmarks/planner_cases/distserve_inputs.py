"""What both DistServe cases read: released latency coefficients, token capacities, ShareGPT lengths."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.planner_cases.data_files import data_file
from planner.split import Server, read_coefficients

__all__ = ["LENGTHS_NOTE", "servers", "sharegpt_lengths"]

LENGTHS_NOTE = (
    "ShareGPT lengths: the 300 (prompt, output) pairs of the DistServe repository's alignment workload "
    "opt-13b-sharegpt-workload/distserve-300-3.exp (mean 780/176, OPT tokenizer); it has no data set itself"
)


def sharegpt_lengths() -> npt.NDArray[np.int64]:
    """int64[300, 2]: prompt and output lengths."""
    path = Path(__file__).parent / "data" / "sharegpt_opt_lengths.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = [(int(r["input_tokens"]), int(r["output_tokens"])) for r in csv.DictReader(file)]
    return np.array(rows, np.int64)


def servers(engine: str, model: str, *, layers: int) -> dict[tuple[int, int], Server]:
    """Instances by (tensor, pipeline) degrees that were profiled and that divide the layers."""
    latency = read_coefficients(
        data_file(f"distserve/profiler-a100-80g.{engine}.json"), model, pipeline_overhead_ms=1.0
    )
    found = {}
    with data_file("distserve/max_num_tokens.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            tensor, stages, tokens = int(row["tp"]), int(row["pp"]), int(row["max_num_tokens"])
            if row["model"] == model and tensor in latency and layers % stages == 0:
                found[tensor, stages] = Server(
                    latency=latency[tensor].piped(stages),
                    stages=stages,
                    gpus=tensor * stages,
                    kv_cache_tokens=tokens,
                    prefill_batch_tokens=tokens,
                )
    return found
