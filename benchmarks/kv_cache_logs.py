"""``python -m benchmarks kv-cache-logs``: the KV cache we predict beside what engines logged at their start.

The logs are published ones (``kv_cache_logs.json``, each with its address), with the settings they state and
the engine's defaults of that version for those they do not. What `models.serving.memory` says that driver,
context, communication and sampler take was set with these logs in view: their errors are not held out. Where
a source reports its figure as a fault of the engine's version it is printed, but says nothing about us.
``--out FILE`` writes all as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from models.architecture import architecture
from models.hardware import gpu
from models.serving import Memory, Parallelism, engine, memory

__all__ = ["Log", "main", "read_logs"]

LOGS = Path(__file__).with_suffix(".json")
MIB, GIB = 2**20, 2**30


@dataclass(frozen=True, slots=True)
class Log:
    """One published figure and our prediction of it, in tokens or in GiB of one GPU, as it was logged."""

    name: str
    unit: str
    published: float
    predicted: float
    weights_gib: float
    fault: bool
    source: str

    @property
    def error(self) -> float:
        """Predicted ÷ published − 1."""
        return self.predicted / self.published - 1


def read_logs(path: Path = LOGS) -> list[Log]:
    """All logs of a file, predicted."""
    return [_predicted(entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def _predicted(entry: dict[str, Any]) -> Log:
    found = _memory(entry)
    unit = "tokens" if "published_tokens" in entry else "GiB"
    stages, kv = entry.get("pipeline_parallel_size", 1), entry.get("kv_cache", "bf16")
    gpus = f"{entry['tensor_parallel_size'] * stages} × {entry.get('gpu_named', entry['gpu'])}"
    ways = (f" in {stages} stages" if stages > 1 else "") + (f", {kv} cache" if kv != "bf16" else "")
    return Log(
        name=f"{entry['model']} {entry['weights']}, {gpus}{ways}, {entry['engine']} {entry['version']}",
        unit=unit,
        published=entry["published_tokens"] if unit == "tokens" else entry["published_gib"],
        predicted=found.kv_cache_tokens if unit == "tokens" else found.kv_cache_bytes / GIB,
        weights_gib=found.weight_bytes / GIB,
        fault=entry.get("reported_as_fault", False),
        source=entry["source"],
    )


def _memory(entry: dict[str, Any]) -> Memory:
    device, version = gpu(entry["gpu"]), entry["version"] if entry["engine"] == "vllm" else ""
    if "gpu_memory_mib" in entry:  # of a GPU that is not in the catalogue only the memory counts here
        device = replace(device, memory_bytes=entry["gpu_memory_mib"] * MIB)
    return memory(
        architecture(entry["model"]),
        Parallelism(
            tensor_parallel_size=entry["tensor_parallel_size"],
            pipeline_parallel_size=entry.get("pipeline_parallel_size", 1),
        ),
        device,
        replace(engine(entry["engine"], version), memory_fraction=entry["memory_fraction"]),
        weights=entry["weights"],
        kv_cache=entry.get("kv_cache", "bf16"),
        max_num_batched_tokens=entry["max_num_batched_tokens"],
        max_num_seqs=entry["max_num_seqs"],
    )


def main(arguments: Sequence[str]) -> int:
    """Print a line for each log."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks kv-cache-logs", description=__doc__)
    parser.add_argument("--logs", type=Path, default=LOGS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(arguments)
    logs = read_logs(options.logs)
    if options.out is not None:
        rows = [asdict(log) | {"error": log.error if log.published > 0 else None} for log in logs]
        options.out.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for log in logs:
        digits = ",.2f" if log.unit == "GiB" else ",.0f"
        ratio = f"{log.error:+.1%}" if log.published > 0 else "no cache"
        fault = "  reported as a fault of this version" if log.fault else ""
        logged = f"{log.published:{digits}} {log.unit} logged"
        print(f"{log.name}: {log.predicted:{digits}} predicted, {logged}, {ratio}{fault}")
    return 0
