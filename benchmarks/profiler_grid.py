"""Adaptive against fixed grid at the same budget of measuring time.

    python -m benchmarks profiler-grid [--budget SECONDS] [--profile NAME] [--save]

The "device" replays a measured table: the public H200 tables that ship with Fulcrum, tens of thousands of
points for each of four operations. Both grids may measure any of them, pay for each what it costs on the
GPU (set-up and 25 repetitions), and are then asked for points they did not measure, through the same
interpolation. The fixed grid spends an equal share of the budget on each operation, on a product of
values spread evenly over the logarithm of each axis.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import machine_record
from models.profiles.catalogue import find_profile
from models.profiles.columns import FloatArray
from models.profiles.interpolate import Interpolator
from models.profiles.table import OperationTable
from profiler.adaptive import Frontier, Limits, most_urgent
from profiler.space import Space

RESULTS = Path(__file__).parent / "results"
SETUP_SECONDS = 0.05
REPEATS = 25
TESTED = 4000

CASES: dict[str, dict[str, str]] = {
    "gemm": {"library": "vllm-0.24.0", "dtype": "bf16"},
    "attention_prefill": {"library": "vllm-0.24.0", "dtype": "bf16", "kv_dtype": "bf16"},
    "attention_decode": {"library": "vllm-0.24.0", "dtype": "bf16", "kv_dtype": "bf16"},
    "moe": {"library": "vllm-0.24.0", "dtype": "fp8", "distribution": "power_law_1.01"},
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks profiler-grid")
    parser.add_argument("--budget", type=float, nargs="+", default=[15.0, 30.0, 60.0], help="seconds in all")
    parser.add_argument("--profile", default="h200-sxm-141gb")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/profiler-grid.json")
    options = parser.parse_args(arguments)
    tables = _tables(options.profile)
    runs = [_compare(tables, budget, options.seed) for budget in options.budget]
    result = {
        "benchmark": "profiler-grid",
        "profile": options.profile,
        "seed": options.seed,
        "cost_of_a_point": f"{SETUP_SECONDS} s + {REPEATS} × latency",
        "runs": runs,
        "machine": machine_record("numpy", "scipy"),
    }
    for run in runs:
        print(f"budget {run['budget_seconds']:g} s")
        for name, row in {**run["operations"], "all": run["all"]}.items():
            print(
                f"  {name:18s}", *(f"{grid}: {_words(row[grid])}" for grid in ("fixed", "adaptive")), sep="  "
            )
    if options.save:
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        (RESULTS / "profiler-grid.json").write_text(text, encoding="utf-8")
    return 0


def _words(row: dict[str, float]) -> str:
    return (
        f"{row['points']:4d} points, median {row['median']:.1%}, mean {row['mean']:.1%}, p90 {row['p90']:.1%}"
    )


def _tables(profile: str) -> dict[str, OperationTable]:
    found = find_profile(profile)
    return {name: found.table(name).where(**labels) for name, labels in CASES.items()}


def _compare(tables: dict[str, OperationTable], budget: float, seed: int) -> dict[str, Any]:
    fixed = {name: _fixed(table, budget / len(tables)) for name, table in tables.items()}
    adaptive = _adaptive(tables, budget)
    operations: dict[str, object] = {}
    pooled: dict[str, list[FloatArray]] = {"fixed": [], "adaptive": []}
    points = {"fixed": 0, "adaptive": 0}
    for name, table in tables.items():
        # Both are asked the same questions: points that neither measured.
        rest = np.setdiff1d(np.arange(len(table)), np.union1d(fixed[name], adaptive[name]))
        asked = np.random.default_rng(seed).permutation(rest)[:TESTED]
        row = {}
        for grid, rows in (("fixed", fixed[name]), ("adaptive", adaptive[name])):
            error = _errors(table, rows, asked)
            pooled[grid].append(error)
            points[grid] += len(rows)
            row[grid] = _statistics(error, len(rows)) | {
                "seconds": round(float(_costs(table)[rows].sum()), 2)
            }
        operations[name] = row
    everything = {g: _statistics(np.concatenate(e), points[g]) for g, e in pooled.items()}
    return {"budget_seconds": budget, "operations": operations, "all": everything}


def _statistics(error: FloatArray, points: int) -> dict[str, float]:
    return {
        "points": points,
        "asked": int(error.size),
        "median": round(float(np.median(error)), 4),
        "mean": round(float(error.mean()), 4),
        "p90": round(float(np.quantile(error, 0.9)), 4),
    }


def _costs(table: OperationTable) -> FloatArray:
    return SETUP_SECONDS + REPEATS * table.value * 1e-6


def _errors(table: OperationTable, rows: NDArray[np.int64], asked: NDArray[np.int64]) -> FloatArray:
    answers = Interpolator(table.take(np.sort(rows)), max_octaves_outside=40)
    found = answers.estimate({k.name: table[k.name][asked] for k in table.schema.keys})
    return np.abs(found.value / table.value[asked] - 1)


def _fixed(table: OperationTable, budget: float) -> NDArray[np.int64]:
    """The finest product of evenly spread values that the budget pays for, refined one axis at a time."""
    levels = [np.unique(table[a.name]) for a in table.schema.axes]
    counts = [1] * len(levels)
    octaves = [np.ptp(a.coordinate(v)) for a, v in zip(table.schema.axes, levels, strict=True)]
    cost = _costs(table)
    rows = _product(table, levels, counts)
    open_axes = {i for i, v in enumerate(levels) if v.size > 1}
    while open_axes:
        # The axis whose values lie farthest apart is refined next.
        axis = max(open_axes, key=lambda i: octaves[i] / counts[i])
        counts[axis] += 1
        finer = _product(table, levels, counts)
        if counts[axis] > levels[axis].size or cost[finer].sum() > budget:
            counts[axis] -= 1
            open_axes.discard(axis)
        elif finer.size >= 3:
            rows = finer
    return rows


def _product(
    table: OperationTable, levels: list[NDArray[np.generic]], counts: list[int]
) -> NDArray[np.int64]:
    keep = np.ones(len(table), dtype=bool)
    for axis, values, count in zip(table.schema.axes, levels, counts, strict=True):
        place = axis.coordinate(values)
        wanted = np.linspace(place[0], place[-1], count) if count > 1 else place[[place.size // 2]]
        chosen = values[np.unique(np.abs(place[:, None] - wanted).argmin(axis=0))]
        keep &= np.isin(table[axis.name], chosen)
    return np.flatnonzero(keep).astype(np.int64)


def _adaptive(tables: dict[str, OperationTable], budget: float) -> dict[str, NDArray[np.int64]]:
    """The profiler's own policy; a row of the table is a candidate of the space."""
    limits = Limits.of_budget(budget, 1e30)
    names = list(tables)
    frontiers = []
    for name, table in tables.items():
        axes = np.stack([table.numbers(a.name) for a in table.schema.axes], axis=1)
        frontiers.append(Frontier(Space(name, dict(CASES[name]), axes), limits))
    costs = {name: _costs(table) for name, table in tables.items()}
    chosen: dict[str, list[int]] = {name: [] for name in names}
    spent = 0.0
    while (next_one := most_urgent(frontiers, 0.0)) is not None:
        number, row = next_one
        name = names[number]
        if spent + costs[name][row] > budget:
            break
        spent += float(costs[name][row])
        frontiers[number].add(row, float(tables[name].value[row]), float(costs[name][row]))
        chosen[name].append(row)
    return {name: np.array(rows, dtype=np.int64) for name, rows in chosen.items()}
