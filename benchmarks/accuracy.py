"""``python -m benchmarks accuracy``: writes ``docs/accuracy.md`` from results that other benchmarks wrote.

`serving.json` comes from ``serving-fit``, `serving-tables.json` from ``serving-tables``, and
`serving-aiconfigurator.json` from ``serving-peer``; what has no file is left out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HEAD = """# Accuracy of the serving model

Made by `python -m benchmarks accuracy` from `benchmarks/results/serving*.json`, which
`python -m benchmarks serving-fit`, `serving-tables` and `serving-peer` write. Do not edit.

Measured rows are those of AIConfigurator's `silicon_sample.csv` (Apache-2.0; InferenceX runs and NVIDIA's
own). Each row is predicted by constants fitted **without any row of its model**, on any engine. Errors are
|predicted ÷ measured − 1| in per cent; bias is the median signed error. Both are means over the requests of a
run, as its harness reports them: the initial burst is inside the TTFT. Re-runs of the same configuration
differ by 19 % (TTFT) and 34 % (TPOT) at the 75th percentile.

The structure of the model, unlike its constants, was chosen with all of these rows in view: rows of other
tables will be somewhat worse. DeepSeek-R1 and V3 are one model here: they are one architecture, and the same
runs are filed under either name. The one constant of disaggregated runs, the hand-over time, is that of rows
of other models, too; most of these rows are of one model, DeepSeek-V3, whose constant then rests on few rows
of others.
"""
KINDS = {
    "free": "aggregated",
    "full": "aggregated, near the limit of the KV cache",
    "unsure": "multi-token prediction possible",
    "apart": "prefill and decode apart",
}
TITLES = {
    "generation": "By GPU generation",
    "engine": "By engine",
    "gpu": "By GPU",
    "class": "By class of model",
    "model": "By model",
    "concurrency": "By concurrency",
    "cache": "By KV cache: rows whose requests fill more than 85 % of it get a wide interval",
}


def main(argv: Sequence[str]) -> int:
    """Write the document; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/accuracy.md")
    options = parser.parse_args(argv)

    def read(name: str) -> Any:
        path = options.results / name
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    options.out.write_text(
        document(
            read("serving.json"), tables=read("serving-tables.json"), peer=read("serving-aiconfigurator.json")
        ),
        encoding="utf-8",
    )
    return 0


def document(results: dict[str, Any], *, tables: Any = None, peer: Any = None) -> str:
    """The text of the document."""
    counts = results["counts"]
    out = [HEAD]
    out.append(
        f"Of {counts['rows']} rows {counts['used']} are distinct and predicted; {counts['repeats']} are "
        "exact repeats. Refused, by rules that do not look at the measurement:\n"
    )
    out += [f"- {number}: {reason}" for reason, number in sorted(counts["refused"].items())]
    out.append(
        "\nNot trained on, but predicted: TensorRT-LLM rows of DeepSeek (whether they used multi-token "
        "prediction is told by the day of their sweep, not by the rows; their first tokens come later than "
        "predicted by a time that hardly depends on the load; the cause is not known, launches of the many "
        "kernels of a prompt may be one), NVIDIA's own runs on Blackwell (harness not stated), and "
        "disaggregated rows.\n"
    )
    for by, title in TITLES.items():
        out.append(f"## {title}\n")
        out += _errors([t for t in results["held_out"] if t["by"] == by])
        out.append("")
    out += _intervals(results["coverage"])
    out += _choices(results["decisions"])
    if peer:
        out += _peer(results["rows"], peer)
    if tables:
        out += _tables(tables)
    out += _fits(results["calibration"])
    return "\n".join(out) + "\n"


def _errors(rows: Sequence[dict[str, Any]]) -> list[str]:
    out = ["| | rows | TPOT median | mean | p90 | bias | TTFT median | mean | p90 | bias |"]
    out.append("|---|---|---|---|---|---|---|---|---|---|")
    return out + [_row(t) for t in rows]


def _intervals(coverage: Sequence[dict[str, Any]]) -> list[str]:
    out = ["## Intervals\n"]
    out.append(
        "An 80 % interval is made of two quantiles of measured ÷ predicted over the held-out rows of the "
        "engine and generation. Rows of a model err alike, so that the 10 % and 90 % quantiles hold fewer "
        "rows of another model: the quantiles are moved outwards, alike for the engines of a generation, "
        "until they hold 80 % of the rows of models that are left out in turn. Disaggregated rows, and those "
        "where multi-token prediction is possible, are of one or two models: their quantiles are of them and "
        "of the aggregated rows of the generation together, whatever the engine. How many rows of a model "
        "they hold when quantiles and shift are both made without any row of it:\n"
    )
    out.append("| generation | rows of the sort | rows | TTFT | TPOT |")
    out.append("|---|---|---|---|---|")
    for c in coverage:
        shares = f"{c['ttft']:.0f} % | {c['tpot']:.0f} %"
        out.append(f"| {c['generation']} | {KINDS[c['kind']]} | {c['rows']} | {shares} |")
    return [*out, ""]


def _choices(decisions: Sequence[dict[str, Any]]) -> list[str]:
    out = ["## Choices\n"]
    out.append(
        "For each model, GPU and lengths with at least four configurations (engine, precision, parallelism, "
        "clients; runs of one are averaged), the target is the median measured TPOT. *Margin*: the most "
        "output tokens per second and GPU among those whose predicted TPOT, times the margin, keeps it. "
        "*Chance*: the most output tokens per second and GPU times the chance, by the 80 % interval, that "
        "two runs keep it; constants and interval are made without the model. How often the pick truly "
        "keeps the target, and is among the measured best three that do; then the same within one engine, "
        "precision and harness:\n"
    )
    out.append("| among | generation | rule | groups | keeps the target | in the top three |")
    out.append("|---|---|---|---|---|---|")
    for d in decisions:
        shares = f"{d['keeps_target']:.0f} % | {d['top_three']:.0f} %"
        out.append(f"| {d['among']} | {d['generation']} | {d['rule']} | {d['groups']:.0f} | {shares} |")
    return [*out, ""]


def _peer(rows: Sequence[Sequence[Any]], peer: dict[str, Any]) -> list[str]:
    """Both models on the rows that the other answers, and how many it does not."""
    from benchmarks.silicon.errors import errors_of

    answers = {number: (ttft, tpot) for number, ttft, tpot, _ in peer["answers"]}
    asked = [r for r in rows if r[0] in answers]
    both = [r for r in asked if answers[r[0]][1] is not None]
    out = ["## AIConfigurator on the same rows\n"]
    out.append(
        "AIConfigurator 0.12.0 (`cli_estimate`, current tables, batch = clients of a data-parallel rank) on "
        "aggregated Hopper rows, given the parallelism as we read it; where its tables lack the number "
        f"format of a row it chooses its own. It was asked for {len(asked)} rows (in the order of their "
        f"arguments, until time was up) and answers {len(both)}. Both on those:\n"
    )
    table = []
    for engine in ("", *sorted({r[1] for r in both})):
        some = [r for r in both if engine in ("", r[1])]
        for name, at in (("ours", None), ("AIConfigurator", answers)):
            pairs = [r[4:6] if at is None else at[r[0]] for r in some]
            parts = {
                what: errors_of([p[i] for p in pairs], [r[2 + i] for r in some]).json()
                for i, what in enumerate(("ttft", "tpot"))
            }
            table.append({"group": f"{engine or 'all'}: {name}", **parts})
    return [*out, *_errors(table), ""]


def _tables(tables: Sequence[dict[str, Any]]) -> list[str]:
    out = ["## Operator tables\n"]
    out.append(
        "Each point inside the range of the others is left out and predicted from them, as "
        "`fulcrum profile validate` does; error in per cent of its latency.\n"
    )
    out.append("| profile | table | points tested | median | mean | p90 |")
    out.append("|---|---|---|---|---|---|")
    for t in tables:
        numbers = f"{t['median']:.1f} | {t['mean']:.1f} | {t['p90']:.1f}"
        out.append(f"| {t['profile']} | {t['table']} | {t['tested']} | {numbers} |")
    return [*out, ""]


def _fits(fits: dict[str, Any]) -> list[str]:
    out = ["## What was fitted\n"]
    out.append(
        "Six constants for each engine and generation, drawn towards a mean that the engines of a generation "
        "share; the standard deviation is of their logarithm.\n"
    )
    out.append("| engine, generation | rows | models | standard deviations |")
    out.append("|---|---|---|---|")
    for key, fit in fits.items():
        spread = ", ".join(f"{v:.2f}" for v in fit["log_sd"])
        out.append(f"| {key} | {fit['rows']} | {len(fit['models'])} | {spread} |")
    return out


def _row(table: dict[str, Any]) -> str:
    ttft, tpot = table["ttft"], table["tpot"]
    numbers = [
        f"{part[name]:+.1f}" if name == "bias" else f"{part[name]:.1f}"
        for part in (tpot, ttft)
        for name in ("median", "mean", "p90", "bias")
    ]
    return f"| {table['group']} | {tpot['rows']} | {' | '.join(numbers)} |"
