"""``python -m benchmarks search_speed``: how fast search prices moves, what it reaches; a JSON line a case.

Rates are per second of processor time of one thread: `random_shifts` and `random_swaps` are proposals at
temperature zero, most of which a limit or the cost of the entered item ends early (`priced_share` got
further); `mix` is the mixture that search uses.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.assignment_cases import CASES
from benchmarks.machine import machine_record
from models.graph import Graph
from solvers.options import SolveOptions
from solvers.search import layout
from solvers.search.flatten import flatten
from solvers.search.search import search
from solvers.search.warmup import compile_kernels
from solvers.search.worker import MIX, Worker, similarity
from specs import compile_problem

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Measure the cases, print a line each, write the last run to ``--out``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks search_speed", description=__doc__)
    parser.add_argument(
        "cases", nargs="*", default=["shards:9999x200x20", "shards:99999x2000x50", "fleet:1000x150"]
    )
    parser.add_argument("--time-limit", type=float, default=20.0, metavar="S")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    begin, cpu = time.perf_counter(), time.process_time()
    compile_kernels()
    ready = {"wall_s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu}
    lines: list[dict[str, object]] = []
    for case in given.cases:
        name, _, size = case.partition(":")
        numbers = tuple(int(part) for part in size.split("x")) if size else ()
        graph = compile_problem(CASES[name](3 if name == "fleet" else 1, numbers))
        options = SolveOptions(time_limit_s=given.time_limit, threads=given.threads, seed=given.seed)
        lines.append(
            {"case": case, "rates_per_cpu_s": _rates(graph, given.seed), "search": _solved(graph, options)}
        )
        print(json.dumps(lines[-1]))
    if given.out is not None:
        record = {
            "benchmark": "search_speed",
            "machine": machine_record("numba", "numpy"),
            "seed": given.seed,
            "time_limit_s": given.time_limit,
            "threads": given.threads,
            "kernels_ready": ready,
            "cases": lines,
        }
        given.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


def _rates(graph: Graph, seed: int) -> dict[str, float]:
    start = graph.space.initial
    model = flatten(graph, start)
    order, rank = similarity(model)
    worker = Worker(model, model.weighted(np.ones(model.n_tiers), 1.0), start, order, rank, seed)
    only = {"random_shifts": {layout.SHIFT: 1.0}, "random_swaps": {layout.SWAP: 1.0}, "mix": MIX}
    out: dict[str, float] = {}
    for name, mix in only.items():
        worker.mix = mix
        worker.run(0.0, 20_000)
        worker.counts[:] = 0
        cpu = time.process_time()
        worker.run(0.0, 1_000_000)
        cpu = time.process_time() - cpu
        counts = worker.counts.reshape(layout.MOVES, layout.OUTCOMES).sum(axis=0)
        out[name] = round(float(counts[layout.TRIED]) / cpu)
        out[f"{name}_priced_share"] = round(float(counts[layout.PRICED] / max(counts[layout.TRIED], 1)), 4)
    return out


def _solved(graph: Graph, options: SolveOptions) -> dict[str, object]:
    cpu = time.process_time()
    result = search(graph, options)
    return {
        "status": result.status,
        "tiers": {t.name: t.value for t in result.tiers},
        "moved": result.moved,
        "unassigned": result.unassigned,
        "total_s": round(result.timings.total_s, 2),
        "cpu_s": round(time.process_time() - cpu, 2),
        "evaluations_per_s": round(result.statistics["evaluations_per_s"]),
        "trajectory": [[round(p.elapsed_s, 2), p.tier, p.objective] for p in result.trajectory],
    }
