"""The service under load: server and clients together on this machine.

    python -m benchmarks service [--parts reading watching queueing] [--save] …

*reading*: GetPlan at a steady rate while plans are being made. *watching*: many watchers, each of which must
see every progress event once and in order. *queueing*: many plans of many tenants, which must finish at the
same pace. Exit code 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_record
from benchmarks.service_load.queueing import measure_queueing
from benchmarks.service_load.reading import measure_reading
from benchmarks.service_load.watching import measure_watching

RESULTS = Path(__file__).parent / "results"
MOST_P99_MS = 50.0
MOST_SHARE = 1.5
PARTS = ("reading", "watching", "queueing")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks service")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--rate", type=float, default=500.0, help="GetPlan calls a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long they are asked")
    parser.add_argument("--read-plans", type=int, default=4, help="different plans that are asked for")
    parser.add_argument("--solves", type=int, default=4, help="plans in the making meanwhile")
    parser.add_argument("--watchers", type=int, default=200)
    parser.add_argument("--events", type=int, default=500, help="progress events of each watched plan")
    parser.add_argument("--plans", type=int, default=1000, help="queued at once")
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2, help="worker processes for the queued plans")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/service.json")
    options = parser.parse_args(arguments)
    measures: dict[str, Callable[[Path], dict[str, Any]]] = {
        "reading": lambda folder: measure_reading(
            folder,
            rate_per_s=options.rate,
            seconds=options.seconds,
            plans=options.read_plans,
            solves=options.solves,
            seed=options.seed,
        ),
        "watching": lambda folder: measure_watching(folder, watchers=options.watchers, events=options.events),
        "queueing": lambda folder: measure_queueing(
            folder, plans=options.plans, tenants=options.tenants, workers=options.workers
        ),
    }
    result: dict[str, Any] = {"benchmark": "service", "seed": options.seed}
    for part in PARTS:
        if part in options.parts:
            with tempfile.TemporaryDirectory(prefix="fulcrum-service-") as folder:
                result[part] = measures[part](Path(folder))
    result["missed"] = missed(result)
    result["machine"] = machine_record("grpcio", "protobuf", "sqlalchemy")
    print(json.dumps(result, indent=2))
    if options.save:
        text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
        (RESULTS / "service.json").write_text(text, encoding="utf-8")
    return 1 if result["missed"] else 0


def missed(result: dict[str, Any]) -> list[str]:
    """The targets that a result misses, in words."""
    found = []
    if reading := result.get("reading"):
        if reading["p99_ms"] > MOST_P99_MS:
            found.append(f"p99 of GetPlan {reading['p99_ms']:g} ms, at most {MOST_P99_MS:g}")
        if set(reading["codes"]) != {"OK"}:
            found.append(f"GetPlan ended with {reading['codes']}")
    if watching := result.get("watching"):
        wrong = ("missing", "doubled", "out_of_order", "without_the_plan_last")
        found += [f"watchers: {watching[name]} {name}" for name in wrong if watching[name]]
    if queueing := result.get("queueing"):
        for decile, ratio in enumerate(queueing["max_over_min_share_at_decile"], 1):
            if ratio is None or ratio > MOST_SHARE:
                found.append(f"shares of tenants {ratio} after {decile}0 %, at most {MOST_SHARE:g}")
    return found
