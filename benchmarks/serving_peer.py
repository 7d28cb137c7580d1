"""``python -m benchmarks serving-peer --rows CSV --python PYTHON``: AIConfigurator on the same rows.

`PYTHON` is the interpreter of an environment of its own with ``aiconfigurator==0.12.0``. It is asked for the
aggregated Hopper rows that we predict, with the parallelism as we read it and the batch of one data-parallel
rank; where its tables lack the number format of a row, it chooses its own. Its answers are written to
``benchmarks/results/serving-aiconfigurator.json``, which `docs/accuracy.md` is made from.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.silicon.rows import Case, Refused, parse_row, read_rows
from models.errors import FulcrumError
from models.profiles.importers.aiconfigurator import SYSTEMS

ROOT = Path(__file__).parents[1]
NAMES = {
    "meta-llama/Llama-3.1-70B": "meta-llama/Meta-Llama-3.1-70B",
    "meta-llama/Llama-3.1-8B-Instruct": "meta-llama/Meta-Llama-3.1-8B",
}
"""Their names of models that they bundle under another."""
ENGINES = {"tensorrt-llm": "trtllm"}


def main(argv: Sequence[str]) -> int:
    """Ask for every row, write the answers; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving-peer", description=__doc__)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--seconds", type=float, help="stop asking after that time")
    parser.add_argument("--work", type=Path, required=True, help="folder for a run that can be continued")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/serving-aiconfigurator.json")
    options = parser.parse_args(argv)
    try:
        _, described = read_rows(options.rows)
    except FulcrumError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    jobs = []
    for number, row in enumerate(described):
        case = parse_row(row)
        if isinstance(case, Refused) or case.prefill is not None:
            continue
        if case.configuration.gpu.generation == "hopper":
            jobs.append((number, alternatives(case, row)))
    jobs.sort(key=lambda job: json.dumps(job[1], sort_keys=True))  # equal tables after each other
    options.work.mkdir(parents=True, exist_ok=True)
    asked, answers = options.work / "jobs.json", options.work / "answers.jsonl"
    asked.write_text(json.dumps(jobs), encoding="utf-8")
    script = Path(__file__).parent / "silicon/ask_aiconfigurator.py"
    command = [options.python, script, asked, answers]
    try:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=options.seconds)
    except subprocess.TimeoutExpired:
        print("time is up: what was answered so far is written; run again to go on", file=sys.stderr)
    lines = sorted(json.loads(line) for line in answers.read_text(encoding="utf-8").splitlines())
    about = (
        "AIConfigurator 0.12.0 (cli_estimate, aggregated) on the rows by number: TTFT, TPOT in ms, or why not"
    )
    text = json.dumps({"about": about, "answers": lines}).replace("], [", "],\n[")
    options.out.write_text(text + "\n", encoding="utf-8")
    return 0


def alternatives(case: Case, row: Mapping[str, str]) -> list[dict[str, Any]]:
    """Arguments of their estimate, the row's number formats first, then theirs."""
    config = case.configuration
    cut = config.parallelism
    plain: dict[str, Any] = {
        "model_path": NAMES.get(case.model, case.model),
        "system_name": next(theirs for theirs, ours in SYSTEMS.items() if ours == config.gpu.name),
        "backend_name": ENGINES.get(config.engine.name, config.engine.name),
        "isl": case.input_tokens,
        "osl": case.output_tokens,
        "batch_size": max(case.concurrency // cut.data_parallel_size, 1),
        "tp_size": cut.tensor_parallel_size,
        "pp_size": cut.pipeline_parallel_size,
        "attention_dp_size": cut.data_parallel_size,
    }
    if config.architecture.is_moe:
        plain |= {"moe_tp_size": cut.expert_tensor_parallel_size, "moe_ep_size": cut.expert_parallel_size}
    formats = {name: row[name] for name in ("gemm_quant_mode", "moe_quant_mode") if row.get(name)}
    if formats and not config.architecture.is_moe:
        formats.pop("moe_quant_mode", None)
    return [{**plain, **formats}, plain] if formats else [plain]
