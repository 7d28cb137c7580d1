"""``python -m benchmarks first-plan``: how long until a new user has a plan, from a fresh clone.

Two clocks. The first runs ``make demo`` in a clone without anything installed, its virtual environment
included, until the plan is written. The second goes on there with the commands a user types for a model and a
trace of their own (the tutorial's files stand for them): ``capacity``, ``init``, ``plan`` and more. What a
person needs to read and type is not counted. Packages come from where pip finds them, its cache included.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import machine_record

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
TARGETS = ["--ttft-p95", "1s", "--tpot-p95", "30ms"]
OWN = (
    ("doctor",),
    ("workload", "describe", "my_trace.csv"),
    ("capacity", "config.json", "--trace", "my_trace.csv", "--gpu", "h100", "--gpu", "a100", *TARGETS),
    ("init", "--model", "config.json", "--gpu", "h100:2x8", "--price", "h100=2.50", "--out", "own.yaml"),
    ("plan", "traced.yaml", "--out", "own.json"),
    ("report", "own.json", "--out", "own.html"),
    ("export", "own.json", "--to", "vllm", "--out", "own.sh"),
)
TRACED = """\
fleet: own
pools: [{name: h100, gpu: h100, nodes: 2, gpus_per_node: 8, price_per_gpu_hour: 2.50}]
models: [{name: own, architecture: config.json, repository: acme/own}]
workloads: [{model: own, trace: my_trace.csv, scale: 4, slo: {ttft_p95: 1s, tpot_p95: 30ms}}]
policies: {headroom: 20%, survive: {loss_of: node}}
"""
"""What a user makes of the document that `init` wrote."""


def main(arguments: Sequence[str]) -> int:
    """Print the times, and write them with what they rest on."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks first-plan", description=__doc__)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "fulcrum"
        _timed(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], Path(folder))
        demo = _timed(["make", "demo", f"PYTHON={sys.executable}"], clone)
        again = _timed(["make", "demo"], clone)
        for name in ("config.json", "my_trace.csv"):
            shutil.copy(clone / "examples" / "tutorial" / name, clone)
        (clone / "traced.yaml").write_text(TRACED, encoding="utf-8")
        fulcrum = str(clone / ".venv" / "bin" / "fulcrum")
        helps = sorted(_timed([fulcrum, "--help"], clone) for _ in range(5))
        steps = {" ".join(words[:2]): _timed([fulcrum, *words], clone) for words in OWN}
        assert json.loads((clone / "own.json").read_text(encoding="utf-8"))["instances"]
    record = {
        "demo_from_nothing_seconds": demo,
        "demo_again_seconds": again,
        "own_model_and_trace_seconds": round(sum(steps.values()), 2),
        "steps_seconds": steps,
        "help_median_seconds": helps[2],
        "machine": machine_record("fulcrum-planner", "pip"),
    }
    print(json.dumps(record, indent=1))
    if given.out is not None:
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def _timed(command: Sequence[str], folder: Path) -> float:
    """Seconds a command takes; it must succeed."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return round(time.perf_counter() - began, 2)
