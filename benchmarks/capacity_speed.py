"""``python -m benchmarks capacity-speed``: capacities of a large candidate table a second, and the oracle's.

The table: every model × GPU × tensor × pipeline size × engine × role × batch limit × token budget of `TABLE`
that fits, one workload (the Azure conversation lengths), one pair of targets. Building the rows (memory, step
curves) and analysing them are timed apart, compilation apart from both. Rows that memory rules out beforehand
count in neither rate.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.machine import machine_record
from models.architecture import architecture
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, Targets, engine
from models.serving.analysis.table import capacities_by_kernel
from models.serving.analysis.warmup import compile_analysis
from models.serving.capacity import blocked
from models.serving.operating import capacities_by_halving
from models.workload import load_lengths

__all__ = ["main"]

Value = TypeVar("Value")

TABLE: dict[str, tuple[Any, ...]] = {
    "models": ("llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b"),
    "gpus": ("h100", "h200", "a100", "l40s"),
    "engines": ("vllm", "sglang"),
    "tensor": (1, 2, 4, 8),
    "pipeline": (1, 2),
    "roles": ("mixed", "prefill", "decode"),
    "max_num_seqs": (64, 128, 256, 512, 1024),
    "max_num_batched_tokens": (2048, 4096, 8192, 16384),
}
LENGTHS = Path(__file__).parent.parent / "examples" / "azure_2023_conv.yaml"
TARGETS = Targets(ttft_ms=1000.0, tpot_ms=40.0)
COMPARED = 1000
"""Rows, evenly spread, that the oracle computes too."""


def rows() -> list[InstanceModel]:
    """Every configuration of `TABLE` that is possible."""
    out = []
    for model, on, name, tensor, pipeline in product(
        TABLE["models"], TABLE["gpus"], TABLE["engines"], TABLE["tensor"], TABLE["pipeline"]
    ):
        parallelism = Parallelism(tensor_parallel_size=tensor, pipeline_parallel_size=pipeline)
        known, where, software = architecture(model), gpu(on), engine(name)
        if parallelism.problems(known):
            continue
        for role, seqs, budget in product(
            TABLE["roles"], TABLE["max_num_seqs"], TABLE["max_num_batched_tokens"]
        ):
            out.append(
                InstanceModel.of(
                    Configuration(
                        architecture=known, gpu=where, parallelism=parallelism, engine=software,
                        role=role, max_num_seqs=seqs, max_num_batched_tokens=budget,
                    )
                )
            )  # fmt: skip
    return out


def main(arguments: Sequence[str]) -> int:
    """Time the table, compare a part of it with the oracle, print and write the record."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks capacity-speed", description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    lengths = load_lengths(LENGTHS)
    compiling = _timed(compile_analysis)[0]
    rows()  # tables are read and curves priced here; the next call builds rows from what is known
    building, table = _timed(rows)
    longest, longest_input = lengths.longest_request_tokens, float(lengths.input_tokens[-1])
    fitting = [row for row in table if blocked(row, longest, longest_input) is None]
    runs = [_timed(lambda: capacities_by_kernel(fitting, lengths, TARGETS)) for _ in range(given.repeat)]
    fast = runs[0][1]
    part = fitting[:: max(len(fitting) // COMPARED, 1)]
    oracle, slow = _timed(lambda: capacities_by_halving(part, lengths, TARGETS))
    pairs = list(zip(fast[:: max(len(fitting) // COMPARED, 1)], slow, strict=True))
    record = {
        "benchmark": "capacity-speed",
        "machine": machine_record("numba", "numpy", "scipy"),
        "table": TABLE,
        "configurations": len(table),
        "without_those_memory_rules_out": len(fitting),
        "compiling": compiling,
        "building_rows": {**building, "per_cpu_s": round(len(table) / building["cpu_s"])},
        "analysis": [
            {**taken, "per_s": round(len(fitting) / taken["wall_s"]),
             "per_cpu_s": round(len(fitting) / taken["cpu_s"])}
            for taken, _ in runs
        ],
        "oracle": {**oracle, "rows": len(part), "per_cpu_s": round(len(part) / oracle["cpu_s"])},
        "largest_relative_difference": max(
            abs(a.rate_per_s - b.rate_per_s) / max(b.rate_per_s, 1e-300) for a, b in pairs
        ),
        "same_limit_and_feasibility": all(
            (a.feasible, a.limit, a.reason) == (b.feasible, b.limit, b.reason) for a, b in pairs
        ),
        "limits": Counter(f"{'feasible' if c.feasible else 'infeasible'}: {c.limit}" for c in fast),
    }  # fmt: skip
    text = json.dumps(record, indent=2)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", encoding="utf-8")
    return 0


def _timed(call: Callable[[], Value]) -> tuple[dict[str, float], Value]:
    begin, cpu = time.perf_counter(), time.process_time()
    value = call()
    return {"wall_s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu}, value
