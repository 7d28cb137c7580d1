"""``python -m benchmarks capacity-cases``: `fulcrum capacity` on eight published questions, timed.

Each is one run of the command in a process of its own, imports included: how much do so many GPUs serve
within two targets, requests of 4,000 and 500 tokens. Beside it AIConfigurator 0.12's answer as published (see
`benchmarks.planner_cases.aiconfigurator`): means of a closed loop, where ours are 95th percentiles of an open
one with vLLM, so that ours are lower by what queueing and the tail cost; and its own run time, on the machine
and under the conditions of that publication.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_record
from benchmarks.planner_cases.aiconfigurator import CASES, INPUT, OUTPUT, Case

__all__ = ["main"]

PUBLISHED_SECONDS = (6.9, 7.2, 7.0, 7.5, 6.6, 8.0, 23.4, 20.3)
"""Wall time of AIConfigurator's command, by case."""


def main(arguments: Sequence[str]) -> int:
    """Print a table, and write it with everything it rests on."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks capacity-cases", description=__doc__)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    rows = [_row(case, theirs) for case, theirs in zip(CASES, PUBLISHED_SECONDS, strict=True)]
    for row in rows:
        print(
            f"{row['case']:<34}{row['seconds']:>6.1f} s ({row['aiconfigurator_seconds']} s)  "
            f"{row['tokens_per_s_per_gpu'] or 0:>7.0f} tok/s/GPU "
            f"({row['aiconfigurator_tokens_per_s_per_gpu']})  "
            f"{row['arrangement'] or row['closest']}"
        )
    record = {"cases": rows, "machine": machine_record("fulcrum-planner", "numpy")}
    if given.out is not None:
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _row(case: Case, their_seconds: float) -> dict[str, Any]:
    command = [
        sys.executable, "-c", "from planner.cli import main; main()", "capacity", case.model,
        "--gpu", case.gpu, "--max-gpus", str(case.gpus), "--isl", str(INPUT), "--osl", str(OUTPUT),
        "--ttft-p95", f"{case.ttft_ms:g}ms",
        "--tpot-p95", f"{case.tpot_ms:g}ms", "--weights", case.weights, "--top", "1", "--json",
    ]  # fmt: skip
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode not in (0, 2):
        raise RuntimeError(done.stderr)
    (found,) = json.loads(done.stdout)["answers"]
    way = found["ways"][0] if found["ways"] else None
    return {
        "case": case.name,
        "seconds": round(seconds, 2),
        "aiconfigurator_seconds": their_seconds,
        "arrangement": way and " + ".join(_part(part) for part in way["instances"]),
        "gpus_used": way and way["gpus"],
        "gpus": case.gpus,
        "tokens_per_s_per_gpu": way and round(way["capacity_per_s"] * OUTPUT / case.gpus, 1),
        "ttft_p95_ms": way and round(way["ttft_ms"], 1),
        "tpot_p95_ms": way and round(way["tpot_ms"], 2),
        "closest": found["closest"],
        "aiconfigurator_tokens_per_s_per_gpu": max(case.aggregated_published, case.apart_published),
    }


def _part(part: dict[str, Any]) -> str:
    pipeline = f" PP{part['pipeline_parallel_size']}" if part["pipeline_parallel_size"] > 1 else ""
    role = "" if part["role"] == "mixed" else f" {part['role']}"
    return f"{part['count']} x TP{part['tensor_parallel_size']}{pipeline}{role}"
