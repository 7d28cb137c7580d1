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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.silicon.calibrate import BASE, Fit, Sample, fit, leave_models_out, predict
from benchmarks.silicon.decisions import Option, judge
from benchmarks.silicon.errors import errors_of, quantiles
from benchmarks.silicon.rows import MEASURED, Case, Refused, parse_row, read_rows
from models.errors import FulcrumError

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class _Held:
    """A row predicted by constants that its model had no part in."""

    sample: Sample
    ttft_ms: float
    tpot_ms: float
    pressed: bool


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
    held: list[_Held] = []
    for key in sorted({_key(s.case) for s in samples}):
        every = [s for s in samples if _key(s.case) == key]
        mine = [s for s in every if trainable(s.case)]
        whole, line = fit(mine)
        print(f"{key}: {len(mine)} rows, {np.round(whole.constants, 4).tolist()}", flush=True)
        left = leave_models_out(mine, line)
        # a model with no row fit to train on had no part in the whole fit
        models = sorted({s.case.model for s in every})
        found = [_held([s for s in every if s.case.model == m], left.get(m, whole)) for m in models]
        part = [h for some in found for h in some]
        held += part
        fits[key] = _record(key, mine, whole, part)
    options.calibration.parent.mkdir(parents=True, exist_ok=True)
    about = "Made by python -m benchmarks serving-fit from AIConfigurator's silicon_sample.csv (Apache-2.0)."
    options.calibration.write_text(
        json.dumps({"about": about, "fits": fits}, indent=1) + "\n", encoding="utf-8"
    )
    seconds = round(time.perf_counter() - start, 1)
    results = {"machine": platform.machine(), "seconds": seconds, "counts": counts, "held_out": _tables(held)}
    results["decisions"] = _decisions(held)
    results["calibration"] = {key: {n: v[n] for n in ("rows", "models", "log_sd")} for key, v in fits.items()}
    options.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def trainable(case: Case) -> bool:
    """Whether a row says what our constants mean; judged by its description alone.

    TensorRT-LLM recipes for DeepSeek use multi-token prediction in an unknown part of the rows, and NVIDIA's
    own runs on Blackwell have no stated harness. Both are predicted, but nothing is learnt from them.
    """
    config = case.configuration
    if config.engine.name == "tensorrt-llm" and config.architecture.name.startswith("deepseek"):
        return False
    return not (config.gpu.generation == "blackwell" and case.harness == "nvidia")


def _key(case: Case) -> str:
    return f"{case.configuration.engine.name}/{case.configuration.gpu.generation}"


def _samples(path: Path) -> tuple[list[Sample], dict[str, Any]]:
    """Aggregated rows, without exact repeats, and what became of all rows."""
    full, described = read_rows(path)
    out: list[Sample] = []
    refused: Counter[str] = Counter()
    seen: set[tuple[object, ...]] = set()
    repeats = 0
    for row, description in zip(full, described, strict=True):
        case = parse_row(description)
        if isinstance(case, Refused):
            refused[case.reason] += 1
            continue
        if case.prefill is not None:
            continue
        measured = tuple(float(row[name]) for name in MEASURED)
        same = (case.configuration.gpu.name, _key(case), case.model, str(case.configuration.parallelism))
        key = (*same, case.concurrency, case.input_tokens, case.output_tokens, *np.round(measured, 1))
        if key in seen:
            repeats += 1
            continue
        seen.add(key)
        out.append(Sample(case, *measured))
    return out, {"rows": len(full), "used": len(out), "repeats": repeats, "refused": dict(refused)}


def _held(samples: list[Sample], one: Fit) -> list[_Held]:
    found = predict([s.case for s in samples], one.constants)
    return [
        _Held(s, float(t), float(p), bool(full))
        for s, (t, p, full) in zip(samples, found, strict=True)
        if np.isfinite(t)
    ]


def _record(key: str, samples: list[Sample], whole: Fit, held: list[_Held]) -> dict[str, Any]:
    engine = key.partition("/")[0]
    delays = {name.partition("/")[2]: round(v, 2) for name, v in whole.delays(engine).items()}
    overheads = asdict(whole.overheads(BASE))
    # a lean client, such as NVIDIA's own, stands for what the front end itself needs
    overheads["request_ms"] = delays["nvidia"]
    free = [h for h in held if not h.pressed and trainable(h.sample.case)]
    full = [h for h in held if h.pressed and trainable(h.sample.case)] or free
    return {
        "overheads": {name: round(value, 5) for name, value in overheads.items()},
        "log_sd": [round(v, 3) for v in whole.log_sd],
        "client_delay_ms": delays,
        "ttft": _quantiles(free, "ttft_ms"),
        "tpot": _quantiles(free, "tpot_ms"),
        "ttft_full": _quantiles(full, "ttft_ms"),
        "tpot_full": _quantiles(full, "tpot_ms"),
        "rows": len(samples),
        "models": sorted({s.case.model for s in samples}),
    }


def _column(held: list[_Held], name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    predicted = np.array([getattr(h, name) for h in held])
    return predicted, np.array([getattr(h.sample, name) for h in held])


def _quantiles(held: list[_Held], name: str) -> list[float]:
    predicted, measured = _column(held, name)
    return [round(v, 3) for v in quantiles(predicted, measured, [h.sample.case.model for h in held])]


def _decisions(held: list[_Held]) -> list[dict[str, Any]]:
    """Picks with several margins, by generation."""

    def option(h: _Held) -> Option:
        case = h.sample.case
        config = case.configuration
        tokens = case.concurrency * case.output_tokens / config.gpus * 1e3

        def rate(ttft: float, tpot: float) -> float:
            return tokens / (ttft + (case.output_tokens - 1) * tpot)

        shape = (case.model, config.gpu.name, case.input_tokens, case.output_tokens, config.engine.name)
        return Option(
            group=str((*shape, config.weights, case.harness)),
            measured_tpot_ms=h.sample.tpot_ms,
            predicted_tpot_ms=h.tpot_ms,
            measured_tokens_per_s_per_gpu=rate(h.sample.ttft_ms, h.sample.tpot_ms),
            predicted_tokens_per_s_per_gpu=rate(h.ttft_ms, h.tpot_ms),
        )

    out = []
    for generation in ("hopper", "blackwell"):
        some = [h for h in held if h.sample.case.configuration.gpu.generation == generation]
        options = [option(h) for h in some if trainable(h.sample.case)]
        for margin in (1.0, 1.05, 1.10, 1.15):
            choice = {k: round(v, 1) for k, v in asdict(judge(options, margin=margin)).items()}
            out.append({"generation": generation, "margin": margin, **choice})
    return out


def _tables(held: list[_Held]) -> list[dict[str, Any]]:
    """Errors by several ways to group the rows."""

    def row(name: str, value: str, some: list[_Held]) -> dict[str, Any]:
        ttft, tpot = errors_of(*_column(some, "ttft_ms")), errors_of(*_column(some, "tpot_ms"))
        return {"by": name, "group": value, "ttft": ttft.json(), "tpot": tpot.json()}

    def generation(h: _Held) -> str:
        return h.sample.case.configuration.gpu.generation

    def trained(h: _Held) -> str:
        return "trained on" if trainable(h.sample.case) else "not trained on"

    ways: dict[str, Callable[[_Held], str]] = {
        "generation": lambda h: f"{generation(h)}, {trained(h)}",
        "engine": lambda h: f"{generation(h)}, {h.sample.case.configuration.engine.name}, {trained(h)}",
        "gpu": lambda h: h.sample.case.configuration.gpu.name,
        "model": lambda h: (
            f"{generation(h)}, {h.sample.case.model}, {h.sample.case.configuration.engine.name}"
        ),
        "concurrency": lambda h: f"{generation(h)}, {h.sample.case.concurrency:04d}",
        "cache": lambda h: f"{generation(h)}, {'near its limit' if h.pressed else 'free'}",
    }
    out = []
    for name, way in ways.items():
        for value in sorted({way(h) for h in held}):
            out.append(row(name, value, [h for h in held if way(h) == value]))
    return out
