"""``python -m benchmarks accuracy``: writes ``docs/accuracy.md`` from ``benchmarks/results/serving.json``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HEAD = """# Accuracy of the serving model

Made by `python -m benchmarks accuracy` from `benchmarks/results/serving.json`, which
`python -m benchmarks serving-fit` writes. Do not edit.

Measured rows are those of AIConfigurator's `silicon_sample.csv` (Apache-2.0; InferenceX runs and NVIDIA's
own), of which the aggregated ones are used here. Each row is predicted by constants fitted **without any row
of its model**. Errors are |predicted ÷ measured − 1| in per cent; bias is the median signed error. Both are
means over the requests of a run, as its harness reports them: the initial burst is inside the TTFT.
"""
TITLES = {
    "generation": "By GPU generation",
    "engine": "By engine",
    "gpu": "By GPU",
    "model": "By model",
    "concurrency": "By concurrency",
    "cache": "By KV cache: rows whose requests fill more than 85 % of it get a wide interval",
}


def main(argv: Sequence[str]) -> int:
    """Write the document; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results/serving.json")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/accuracy.md")
    options = parser.parse_args(argv)
    options.out.write_text(
        document(json.loads(options.results.read_text(encoding="utf-8"))), encoding="utf-8"
    )
    return 0


def document(results: dict[str, Any]) -> str:
    """The text of the document."""
    counts = results["counts"]
    out = [HEAD]
    out.append(
        f"Of {counts['rows']} rows {counts['used']} are aggregated, distinct and predicted; "
        f"{counts['repeats']} are exact repeats. Refused, by rules that do not look at the measurement:\n"
    )
    out += [f"- {number}: {reason}" for reason, number in sorted(counts["refused"].items())]
    out.append(
        "\nNot trained on, but predicted: TensorRT-LLM rows of DeepSeek (an unknown part used multi-token "
        "prediction) and NVIDIA's own runs on Blackwell (harness not stated).\n"
    )
    for by, title in TITLES.items():
        rows = [t for t in results["held_out"] if t["by"] == by]
        out.append(f"## {title}\n")
        out.append("| | rows | TPOT median | mean | p90 | bias | TTFT median | mean | p90 | bias |")
        out.append("|---|---|---|---|---|---|---|---|---|---|")
        out += [_row(t) for t in rows]
        out.append("")
    out.append("## Choices\n")
    out.append(
        "For each model, GPU, lengths, precision and engine with at least four configurations: the most "
        "output tokens per second and GPU among those whose predicted TPOT, times a margin, keeps the "
        "group's median measured TPOT. How often the pick truly keeps it, and is among the measured best "
        "three that do.\n"
    )
    out.append("| generation | margin | groups | keeps the target | in the top three |")
    out.append("|---|---|---|---|---|")
    for d in results["decisions"]:
        shares = f"{d['keeps_target']:.0f} % | {d['top_three']:.0f} %"
        out.append(f"| {d['generation']} | {d['margin']:.2f} | {d['groups']:.0f} | {shares} |")
    out.append("")
    out.append("## What was fitted\n")
    out.append(
        "Six constants for each engine and generation; the standard deviation is of their logarithm.\n"
    )
    out.append("| engine, generation | rows | models | standard deviations |")
    out.append("|---|---|---|---|")
    for key, fit in results["calibration"].items():
        spread = ", ".join(f"{v:.2f}" for v in fit["log_sd"])
        out.append(f"| {key} | {fit['rows']} | {len(fit['models'])} | {spread} |")
    return "\n".join(out) + "\n"


def _row(table: dict[str, Any]) -> str:
    ttft, tpot = table["ttft"], table["tpot"]
    numbers = [
        f"{part[name]:+.1f}" if name == "bias" else f"{part[name]:.1f}"
        for part in (tpot, ttft)
        for name in ("median", "mean", "p90", "bias")
    ]
    return f"| {table['group']} | {tpot['rows']} | {' | '.join(numbers)} |"
