"""``python -m benchmarks assignment CASE``: one problem built, solved and measured; one JSON line.

Compiling the search kernels, once for every release, is not part of the figures (`fulcrum warmup`).
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.assignment_cases import CASES
from models.graph import Graph
from solvers import Result, SolveOptions, solve
from solvers.search.warmup import compile_kernels
from specs import Problem, compile_problem

__all__ = ["main", "measure", "report"]


def main(arguments: Sequence[str]) -> int:
    """Parse the command line, run the case, print its line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks assignment", description=__doc__)
    parser.add_argument("case", choices=sorted(CASES))
    parser.add_argument("--seed", type=int, default=None, help="of the generator and the solver")
    parser.add_argument("--size", default="", help="whole numbers joined by x, as in 9999x200x20")
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--solver", default="auto")
    parser.add_argument(
        "--trajectory", action="store_true", help="also when which tier had which value, gap and rate"
    )
    parser.add_argument("--out", type=Path, help="also append the line to this file")
    given = parser.parse_args(arguments)
    size = tuple(int(part) for part in given.size.split("x")) if given.size else ()
    seed = given.seed if given.seed is not None else {"fleet": 3, "web_balancing": 7}.get(given.case, 1)

    compile_kernels()
    started = time.perf_counter()
    problem = CASES[given.case](seed, size)
    line = measure(
        given.case, problem, time.perf_counter() - started,
        SolveOptions(time_limit_s=given.time_limit, threads=given.threads, seed=seed, solver=given.solver),
        trajectory=given.trajectory,
    )  # fmt: skip
    line |= {"seed": seed, "size": list(size), "threads": given.threads}
    text = json.dumps(line)
    print(text)
    if given.out is not None:
        with given.out.open("a", encoding="utf-8") as out:
            out.write(text + "\n")
    return 0 if line["status"] in ("optimal", "feasible") else 2


def measure(
    case: str, problem: Problem, problem_s: float, options: SolveOptions, *, trajectory: bool = False
) -> dict[str, Any]:
    """Compile and solve; the line as plain values.

    With `trajectory` also the way there: (seconds, tier, value, gap, moves priced a second), the last two
    None where nothing is known.
    """
    started = time.perf_counter()
    graph = compile_problem(problem)
    compile_s = time.perf_counter() - started
    started = time.perf_counter()
    result = solve(graph, options)
    line = report(case, graph, result, problem_s + compile_s, time.perf_counter() - started)
    if trajectory:
        line["trajectory"] = [
            (
                round(p.elapsed_s, 3), p.tier, p.objective, p.gap,
                None if p.evaluations_per_s is None else round(p.evaluations_per_s),
            )
            for p in result.trajectory
        ]  # fmt: skip
    return line


def report(case: str, graph: Graph, result: Result, build_s: float, solve_s: float) -> dict[str, Any]:
    """What every case prints.

    ``unplaced`` counts objects, ``violations`` elements of broken constraints; the rate is that of
    all threads while they search.
    """
    rate = result.statistics.get("evaluations_per_s")
    return {
        "case": case,
        "status": result.status,
        "tiers": [tier.value for tier in result.tiers],
        "bound": [tier.bound for tier in result.tiers],
        "gap": [tier.gap for tier in result.tiers],
        "violations": sum(c.broken for c in result.constraints),
        "moved": result.moved,
        "unplaced": result.unassigned,
        "objects": graph.space.n_objects,
        "containers": graph.space.n_containers,
        "solver": result.solver,
        "build_seconds": round(build_s, 3),
        "solve_seconds": round(solve_s, 3),
        "evaluations_per_second": None if rate is None else round(rate),
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
