"""``python -m benchmarks search_cancel``: how long a search takes to stop once the caller has cancelled.

One JSON line for each moment of cancelling: seconds from then to the end of the last slice of proposals, and
to the answer, which the reference has evaluated. ``--size`` is that of `shards`: objects x hosts x racks.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.assignment_cases import CASES
from benchmarks.machine import machine_record
from models.graph import Graph
from solvers import SolveOptions, solve
from solvers.search.warmup import compile_kernels
from solvers.search.worker import Worker
from specs import compile_problem

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Cancel at several moments, print a line each, write all to ``--out``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks search_cancel", description=__doc__)
    parser.add_argument("--size", default="999999x10000x100", help="whole numbers joined by x")
    parser.add_argument(
        "--after", type=float, nargs="*", default=[1.0, 10.0, 30.0, 60.0], metavar="S",
        help="seconds after which to cancel",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    compile_kernels()
    graph = compile_problem(CASES["shards"](1, tuple(int(part) for part in given.size.split("x"))))
    lines = []
    for after_s in given.after:
        lines.append(measure(graph, after_s, given.threads))
        print(json.dumps(lines[-1]), flush=True)
    if given.out is not None:
        record = {"benchmark": "search_cancel", "machine": machine_record("numba", "numpy"), "runs": lines}
        given.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0


def measure(graph: Graph, after_s: float, threads: int) -> dict[str, object]:
    """One solve that is cancelled after `after_s`."""
    last_slice_s = 0.0
    begun_s = time.monotonic()
    run = Worker.run

    def timed(worker: Worker, temperature: float, n: int | None = None) -> int:
        nonlocal last_slice_s
        done = run(worker, temperature, n)
        last_slice_s = time.monotonic() - begun_s
        return done

    Worker.run = timed  # type: ignore[method-assign, assignment]
    try:
        options = SolveOptions(
            time_limit_s=10 * after_s + 60, threads=threads, seed=1,
            cancelled=lambda: time.monotonic() - begun_s >= after_s,
        )  # fmt: skip
        result = solve(graph, options)
    finally:
        Worker.run = run  # type: ignore[method-assign]
    return {
        "objects": graph.space.n_objects,
        "cancelled_after_s": after_s,
        "last_slice_s": round(max(0.0, last_slice_s - after_s), 3),
        "answer_s": round(time.monotonic() - begun_s - after_s, 3),
        "status": result.status,
    }
