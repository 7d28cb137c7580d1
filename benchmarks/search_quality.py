"""``python -m benchmarks search-quality``: does search alone find what branch and bound proves to be best?

Random problems of at most 60 objects, every kind of spec in turn as a goal, often with a second goal, a limit
and the cost of moves as a second tier. Those that branch and bound proves in time are given to search, one
thread, which stops when it has reached the optimum. Anything better than the optimum makes the exit code 1:
then one of the two is wrong. A JSON line in the end; each problem that search misses is printed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from benchmarks.machine import machine_record
from models.errors import FulcrumError
from models.graph import Graph
from solvers import SolveOptions, solve
from solvers.options import Progress
from solvers.result import OPTIMAL
from solvers.search.search import search
from solvers.search.warmup import compile_kernels
from specs import Capacity, Constraint, Goal, MinimizeMovement, compile_problem
from specs.registry import kinds, spec_class

__all__ = ["Outcome", "compared", "main", "random_graphs"]

TOLERANCE = 1e-6
"""How far, relative to max(1, |optimum|), a value may be off and still be equal."""
MOST_HOSTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One problem: what was proven, what search found (None: nothing feasible), after how long."""

    name: str
    objects: int
    optimum: tuple[float, ...]
    found: tuple[float, ...] | None
    seconds: float

    @property
    def reached(self) -> bool:
        """Whether search found the optimum in every tier."""
        return self.found is not None and _order(self.found, self.optimum) == 0

    @property
    def beaten(self) -> bool:
        """Whether search found something "better" than the proven optimum."""
        return self.found is not None and _order(self.found, self.optimum) < 0


def _order(first: Sequence[float], second: Sequence[float]) -> int:
    """-1, 0 or 1 as `first` is lexicographically less, equal or greater."""
    for a, b in zip(first, second, strict=True):
        if abs(a - b) > TOLERANCE * max(1.0, abs(b)):
            return -1 if a < b else 1
    return 0


def _random_specs() -> ModuleType:
    """The generator of random specs, which the tests of specs use too."""
    path = Path(__file__).parents[1] / "tests" / "specs" / "random_specs.py"
    spec = importlib.util.spec_from_file_location("random_specs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def random_graphs(seed: int, most_objects: int) -> Iterator[tuple[str, Graph]]:
    """Named random problems without end, every kind of spec in turn."""
    made = _random_specs()
    names = sorted(kinds())
    number = seed * 1_000_000
    while True:
        kind = names[number % len(names)]
        rng = random.Random(number)
        number += 1
        problem = made.random_problem(rng, rng.choice([4, 8, 16, 32, most_objects]), MOST_HOSTS)
        specs = [made.random_spec(rng, spec_class(kind), problem)]
        if rng.random() < 0.5:
            specs.append(made.random_spec(rng, spec_class(rng.choice(names)), problem))
        if specs[0] is None:
            continue
        goals = [[Goal(spec, 2.0) for spec in specs if spec is not None]]
        if rng.random() < 0.5:
            goals.append([Goal(MinimizeMovement())])
        limits = [Constraint(Capacity(scope="host", dimension="cpu"))] if rng.random() < 0.4 else []
        try:
            yield f"{number - 1} {kind}", compile_problem(replace(problem, goals=goals, constraints=limits))
        except FulcrumError:
            continue  # the drawn parameters do not go together


def compared(
    name: str, graph: Graph, *, exact_limit_s: float, search_limit_s: float, seed: int
) -> Outcome | None:
    """Search against the proven optimum; None when that is not proven in time."""
    try:
        exact = solve(graph, SolveOptions(time_limit_s=exact_limit_s, solver="highs", gap=0.0))
    except FulcrumError:
        return None  # not every operation has a lowering
    if exact.status != OPTIMAL:
        return None
    optimum = tuple(tier.value for tier in exact.tiers)
    begin = time.perf_counter()
    seen: dict[int, float] = {}

    def hear(progress: Progress) -> None:
        if progress.objective is not None and progress.objective != seen.get(progress.tier):
            for later in [tier for tier in seen if tier > progress.tier]:
                del seen[later]  # it may have been given up for this
            seen[progress.tier] = progress.objective

    def done() -> bool:
        return len(seen) == len(optimum) and _order([seen[i] for i in sorted(seen)], optimum) <= 0

    result = search(
        graph, SolveOptions(time_limit_s=search_limit_s, seed=seed, on_progress=hear, cancelled=done)
    )
    found = None if result.assignment is None else tuple(tier.value for tier in result.tiers)
    return Outcome(
        name=name,
        objects=graph.space.n_objects,
        optimum=optimum,
        found=found,
        seconds=time.perf_counter() - begin,
    )


def main(arguments: Sequence[str]) -> int:
    """Compare until enough problems are proven, print a line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks search-quality", description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--most-objects", type=int, default=60)
    parser.add_argument("--time-limit", type=float, default=2.0, metavar="S", help="for search")
    parser.add_argument("--exact-limit", type=float, default=5.0, metavar="S", help="for branch and bound")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    compile_kernels()
    outcomes: list[Outcome] = []
    unproven = 0
    for name, graph in random_graphs(given.seed, given.most_objects):
        if len(outcomes) == given.problems:
            break
        outcome = compared(
            name, graph, exact_limit_s=given.exact_limit, search_limit_s=given.time_limit, seed=given.seed
        )
        if outcome is None:
            unproven += 1
            continue
        outcomes.append(outcome)
        if not outcome.reached:
            print(f"{name}: {outcome.found} instead of {outcome.optimum}", file=sys.stderr)
    reached, beaten = sum(o.reached for o in outcomes), sum(o.beaten for o in outcomes)
    seconds = sorted(o.seconds for o in outcomes if o.reached)
    record = {
        "benchmark": "search_quality",
        "machine": machine_record("numba", "numpy", "highspy"),
        "seed": given.seed,
        "time_limit_s": given.time_limit,
        "problems": len(outcomes),
        "not_proven_and_skipped": unproven,
        "objects": [min(o.objects for o in outcomes), max(o.objects for o in outcomes)],
        "optimum_reached": reached,
        "share": round(reached / len(outcomes), 4),
        "better_than_proven": beaten,
        "median_s": round(seconds[len(seconds) // 2], 4) if seconds else None,
        "missed": [[o.name, o.objects, list(o.optimum), o.found] for o in outcomes if not o.reached],
    }
    print(json.dumps(record))
    if given.out is not None:
        given.out.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 1 if beaten else 0
