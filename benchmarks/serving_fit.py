"""``python -m benchmarks serving-fit --rows CSV``: fits the constants of each engine; how good are they?

Writes the constants to ``models/serving/data/calibration.json`` and the errors with whole models left out to
``benchmarks/results/serving.json``, from which ``python -m benchmarks accuracy`` makes ``docs/accuracy.md``.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.silicon.calibrate import BASE, Fit, Sample, fit, leave_models_out, predict
from benchmarks.silicon.choices import decisions
from benchmarks.silicon.disaggregated import fit_handover, measure_disaggregated, remembered
from benchmarks.silicon.disaggregated import leave_models_out as leave_models_out_apart
from benchmarks.silicon.errors import coverage, errors_of, quantiles, tail_of
from benchmarks.silicon.harness import Measured, client_delay_ms
from benchmarks.silicon.held import (
    ENOUGH,
    FEW_MODELS,
    KINDS,
    Held,
    basis,
    columns,
    key_of,
    ratio_of,
    ratios_of,
    trainable,
)
from benchmarks.silicon.rows import MEASURED, Case, Refused, parse_row, read_rows
from models.errors import FulcrumError

ROOT = Path(__file__).parents[1]


def main(argv: Sequence[str]) -> int:
    """Fit, leave models out, write both files; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving-fit", description=__doc__)
    parser.add_argument(
        "--rows", type=Path, required=True, help="table with silicon_ttft_ms and silicon_tpot_ms"
    )
    parser.add_argument("--calibration", type=Path, default=ROOT / "models/serving/data/calibration.json")
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks/results/serving.json")
    options = parser.parse_args(argv)
    start = time.perf_counter()
    try:
        samples, counts = _samples(options.rows)
    except FulcrumError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    fits: dict[str, Any] = {}
    held: list[Held] = []
    every_fit: dict[str, Fit] = {}
    left_out: dict[str, dict[str, Fit]] = {}
    keys = sorted({key_of(s.case) for s in samples})
    for generation in sorted({key.partition("/")[2] for key in keys}):
        every = {k: [s for s in samples if key_of(s.case) == k] for k in keys if k.endswith(f"/{generation}")}
        groups = {key: [s for s in some if trainable(s.case)] for key, some in every.items()}
        whole, lines = fit(groups)
        left = leave_models_out(groups, lines)
        for key, mine in groups.items():
            print(f"{key}: {len(mine)} rows, {np.round(whole[key].constants, 4).tolist()}", flush=True)
            # a model with no row fit to train on had no part in the whole fit
            part = [
                h
                for model in sorted({s.case.model for s in every[key]})
                for h in _held(
                    [s for s in every[key] if s.case.model == model],
                    left[model][key] if model in left else whole[key],
                )
            ]
            held += part
            fits[key] = _record(key, mine, whole[key])
            every_fit[key] = whole[key]
        for model, some in left.items():
            left_out.setdefault(model, {}).update(some)
    apart = [s for s in samples if s.case.kind == "apart"]
    part, handovers = _held_apart(apart, left_out, every_fit)
    held += part
    for key, record in fits.items():
        record["handover_ms"] = round(handovers.get(key.partition("/")[0], handovers[""]), 1)
    for key, record in fits.items():
        record.update(_spreads(key, held))
    options.calibration.parent.mkdir(parents=True, exist_ok=True)
    about = "Made by python -m benchmarks serving-fit from AIConfigurator's silicon_sample.csv (Apache-2.0)."
    options.calibration.write_text(
        json.dumps({"about": about, "fits": fits}, indent=1) + "\n", encoding="utf-8"
    )
    seconds = round(time.perf_counter() - start, 1)
    results = {"machine": platform.machine(), "seconds": seconds, "counts": counts, "held_out": _tables(held)}
    results["rows"] = [
        [
            h.sample.number,
            h.sample.case.configuration.engine.name,
            *(round(v, 2) for v in (h.sample.ttft_ms, h.sample.tpot_ms, h.ttft_ms, h.tpot_ms)),
        ]
        for h in sorted(held, key=lambda h: h.sample.number)
    ]
    results["coverage"] = _coverage(held)
    results["decisions"] = decisions(held)
    results["calibration"] = {key: {n: v[n] for n in ("rows", "models", "log_sd")} for key, v in fits.items()}
    options.results.write_text(_text(results), encoding="utf-8")
    return 0


def _text(results: dict[str, Any]) -> str:
    """JSON with a row of the table a line."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in results["rows"])
    rest = json.dumps({**results, "rows": []}, indent=1)
    return rest.replace('"rows": []', f'"rows": [\n{rows}\n ]', 1) + "\n"


def _samples(path: Path) -> tuple[list[Sample], dict[str, Any]]:
    """Rows that can be predicted, without exact repeats, and what became of all rows."""
    full, described = read_rows(path)
    out: list[Sample] = []
    refused: Counter[str] = Counter()
    seen: set[tuple[object, ...]] = set()
    repeats = 0
    for number, (row, description) in enumerate(zip(full, described, strict=True)):
        case = parse_row(description)
        if isinstance(case, Refused):
            refused[case.reason] += 1
            continue
        measured = tuple(float(row[name]) for name in MEASURED)
        same = (case.configuration.gpu.name, key_of(case), case.model, str(case.configuration.parallelism))
        apart = (*case.workers, str(case.prefill and case.prefill.parallelism))
        key = (*same, *apart, case.concurrency, case.input_tokens, case.output_tokens, *np.round(measured, 1))
        if key in seen:
            repeats += 1
            continue
        seen.add(key)
        out.append(Sample(case, measured[0], measured[1], number))
    return out, {"rows": len(full), "used": len(out), "repeats": repeats, "refused": dict(refused)}


def _held(samples: list[Sample], one: Fit) -> list[Held]:
    together = [s for s in samples if s.case.kind != "apart"]
    found = predict([s.case for s in together], one.constants)
    return [
        Held(s, float(t), float(p), bool(full))
        for s, (t, p, full) in zip(together, found, strict=True)
        if np.isfinite(t)
    ]


def _held_apart(
    samples: list[Sample], fits: dict[str, dict[str, Fit]], whole: dict[str, Fit]
) -> tuple[list[Held], dict[str, float]]:
    """Disaggregated rows by constants without those of their model, and the constants of all rows."""

    def run(case: Case, fit: Fit, handover_ms: float) -> Measured:
        engine = case.configuration.engine.name
        delay = client_delay_ms(engine, case.harness, fit.delays(engine))
        return measure_disaggregated(case, fit.overheads(BASE), delay + handover_ms)

    found = remembered(lambda case, handover_ms: run(case, whole[key_of(case)], handover_ms))
    handovers = fit_handover(samples, found)
    left = leave_models_out_apart(samples, found)
    held = []
    for s in samples:
        key, model = key_of(s.case), s.case.model
        own = fits[model][key] if model in fits and key in fits[model] else whole[key]
        try:
            got = run(s.case, own, left[model][s.case.configuration.engine.name])
        except FulcrumError:
            continue
        held.append(Held(s, got.ttft_ms, got.tpot_ms, got.pressed))
    return held, handovers


def _record(key: str, samples: list[Sample], whole: Fit) -> dict[str, Any]:
    engine = key.partition("/")[0]
    delays = {name.partition("/")[2]: round(v, 2) for name, v in whole.delays(engine).items()}
    overheads = asdict(whole.overheads(BASE))
    # a lean client, such as NVIDIA's own, stands for what the front end itself needs
    overheads["request_ms"] = delays["nvidia"]
    return {
        "overheads": {name: round(value, 5) for name, value in overheads.items()},
        "log_sd": [round(v, 3) for v in whole.log_sd],
        "client_delay_ms": delays,
        "rows": len(samples),
        "models": sorted({s.case.model for s in samples}),
    }


def _spreads(key: str, held: list[Held]) -> dict[str, list[float]]:
    """Intervals of an engine on a generation; of the nearest rows there are where it has too few."""
    engine, _, generation = key.partition("/")
    near = (
        lambda h: key_of(h.sample.case) == key,
        lambda h: h.sample.case.configuration.engine.name == engine,
        lambda h: h.sample.case.configuration.gpu.generation == generation,
        lambda _: True,
    )
    out: dict[str, list[float]] = {}
    for kind in KINDS:
        same = basis(held, kind)
        mine = next(
            some
            for n in (near[2:] if kind in FEW_MODELS else near)
            if len(some := [h for h in same if n(h)]) >= ENOUGH
        )
        for what in ("ttft", "tpot"):
            tail = tail_of(ratios_of(same, kind, generation, what)[0])
            low, high = quantiles(ratio_of(mine, what), tail)
            out[f"{what}_{kind}" if kind else what] = [round(low, 3), round(high, 3)]
    return out


def _coverage(held: list[Held]) -> list[dict[str, Any]]:
    """How much the 80 % intervals hold, those of a model made without its rows, by generation and sort."""
    out = []
    for generation in sorted({key_of(h.sample.case).partition("/")[2] for h in held}):
        for kind in KINDS:
            some = basis(held, kind)
            found = {what: coverage(*ratios_of(some, kind, generation, what)) for what in ("ttft", "tpot")}
            rows = found["ttft"][1]
            if rows:
                shares = {what: round(share, 1) for what, (share, _) in found.items()}
                out.append({"generation": generation, "kind": kind or "free", "rows": rows, **shares})
    return out


def _tables(held: list[Held]) -> list[dict[str, Any]]:
    """Errors by several ways to group the rows."""

    def row(name: str, value: str, some: list[Held]) -> dict[str, Any]:
        ttft, tpot = errors_of(*columns(some, "ttft_ms")), errors_of(*columns(some, "tpot_ms"))
        return {"by": name, "group": value, "ttft": ttft.json(), "tpot": tpot.json()}

    def generation(h: Held) -> str:
        return h.sample.case.configuration.gpu.generation

    names = {
        "sure": "trained on", "unsure": "multi-token prediction possible", "apart": "prefill and decode apart"
    }  # fmt: skip

    def sort(h: Held) -> str:
        case = h.sample.case
        return names[case.kind] if case.kind != "sure" or trainable(case) else "harness not stated"

    def model_class(h: Held) -> str:
        shape = h.sample.case.configuration.architecture
        mixers = {type(block.mixer).__name__ for block in shape.blocks}
        attention = {"LatentAttention": "latent", "GatedDeltaNet": "linear"}
        kinds = sorted({attention[m] for m in mixers if m in attention}) or ["grouped"]
        return f"{'experts' if shape.is_moe else 'dense'}, {'/'.join(kinds)} attention"

    def band(h: Held) -> str:
        return f"{2 ** max(int(np.ceil(np.log2(h.sample.case.concurrency))), 2):05d}"

    ways: dict[str, Callable[[Held], str]] = {
        "generation": lambda h: f"{generation(h)}, {sort(h)}",
        "engine": lambda h: f"{generation(h)}, {sort(h)}, {h.sample.case.configuration.engine.name}",
        "gpu": lambda h: h.sample.case.configuration.gpu.name,
        "class": lambda h: f"{generation(h)}, {sort(h)}, {model_class(h)}",
        "model": lambda h: (
            f"{generation(h)}, {sort(h)}, {h.sample.case.model}, {h.sample.case.configuration.engine.name}"
        ),
        "concurrency": lambda h: f"{generation(h)}, {sort(h)}, up to {band(h)}",
        "cache": lambda h: f"{generation(h)}, {'near its limit' if h.pressed else 'free'}",
    }
    out = []
    for name, way in ways.items():
        for value in sorted({way(h) for h in held}):
            out.append(row(name, value, [h for h in held if way(h) == value]))
    return out
