"""Published results of planning papers against ours: ``python -m benchmarks planner CASE [--save]``.

Each case is one file in `benchmarks/planner_cases` with a function ``run() -> Comparison``. One JSON line per
case is printed; ``--save`` also writes it to ``benchmarks/results/planner-CASE.json``. ``all`` runs all.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pkgutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import benchmarks.planner_cases
from benchmarks.planner_cases.comparison import Comparison
from models.errors import FulcrumError

RESULTS = Path(__file__).parent / "results"
HELPERS = ("comparison", "data_files", "distserve_inputs")


def case_names() -> tuple[str, ...]:
    """Names of all cases, sorted: the modules that define ``run``."""
    found = pkgutil.iter_modules(benchmarks.planner_cases.__path__)
    return tuple(sorted(m.name.replace("_", "-") for m in found if m.name not in HELPERS))


def run_case(name: str) -> Comparison:
    """Run one case."""
    module = import_module(f"benchmarks.planner_cases.{name.replace('-', '_')}")
    run: Callable[[], Comparison] = module.run
    return run()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks planner", description=__doc__)
    parser.add_argument("case", choices=(*case_names(), "all"))
    parser.add_argument("--save", action="store_true", help="write the line to benchmarks/results as well")
    chosen = parser.parse_args(arguments)
    failed = False
    for name in case_names() if chosen.case == "all" else (chosen.case,):
        try:
            comparison = run_case(name)
        except FulcrumError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
            continue
        line = json.dumps(dataclasses.asdict(comparison), ensure_ascii=False)
        print(line, flush=True)
        if chosen.save:
            RESULTS.mkdir(exist_ok=True)
            path = RESULTS / f"planner-{name}.json"
            path.write_text(
                json.dumps(json.loads(line), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
            )
    return 1 if failed else 0
