"""``python -m benchmarks assignment_targets``: large cases beside what the peer reached, a JSON line each.

The peer is Meta's Rebalancer 1.0.4 (PyPI) with the best of its configurations, on two cores; its figures are
constants here, measured with the same generators. Ours are run anew, each in a process of its own, so that
``peak_rss_bytes`` is that of the case. ``--only CASE`` runs some, ``--out FILE`` appends the lines to a file.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

__all__ = ["TARGETS", "Target", "main", "reached_s", "value_at"]

Line: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One case.

    ``peer``: its figures by name; ``shows``: from our line to what is asked for, each with a name.
    """

    case: str
    size: str = ""
    time_limit_s: float
    peer: Mapping[str, float]
    shows: Mapping[str, Callable[[Line], bool]] = field(default_factory=dict)


def reached_s(line: Line, tier: int, value: float) -> float | None:
    """Seconds after which `tier` stayed at most `value` until the end; None where it is above."""
    if line["tiers"][tier] > value:
        return None
    since = None
    for seconds, t, objective, *_ in line["trajectory"]:
        if t == tier:
            since = (seconds if since is None else since) if objective <= value else None
    return since


def value_at(line: Line, tier: int, seconds: float) -> float | None:
    """Value of `tier` after so many seconds; None where nothing was found by then."""
    known = [objective for s, t, objective, *_ in line["trajectory"] if t == tier and s <= seconds]
    return known[-1] if known else None


def _by(line: Line, tier: int, value: float, seconds: float) -> bool:
    since = reached_s(line, tier, value)
    return since is not None and since <= seconds


def _repaired(seconds: float) -> Callable[[Line], bool]:
    return lambda line: line["violations"] == 0 and _by(line, 0, 1e-9, seconds)


def _below(value: float, seconds: float) -> Callable[[Line], bool]:
    def reached(line: Line) -> bool:
        there = value_at(line, 1, seconds)
        return _repaired(seconds)(line) and there is not None and there < value

    return reached


def _in_all(seconds: float) -> Callable[[Line], bool]:
    return lambda line: line["build_seconds"] + line["solve_seconds"] <= seconds and not line["violations"]


def _memory(gigabytes: float) -> Callable[[Line], bool]:
    return lambda line: line["peak_rss_bytes"] <= gigabytes * 1e9


def _gap(tier: int, most: float) -> Callable[[Line], bool]:
    return lambda line: line["gap"][tier] is not None and line["gap"][tier] <= most


TARGETS = (
    Target(case="fleet", size="1000x150", time_limit_s=30,
           peer={"seconds": 100, "unplaced_gpus": 23, "balance": 1088.62, "moved": 917},
           shows={"placed in 5 s": lambda line: _by(line, 0, -6800, 5),
                  "better balance": lambda line: line["tiers"][1] < 1088.62,
                  "balance proven within 1 %": _gap(1, 0.01)}),
    Target(case="fleet", size="256x60", time_limit_s=1,
           peer={"seconds": 9.3, "unplaced_gpus": 0, "balance": 298.34},
           shows={"placed": lambda line: line["unplaced"] == 0,
                  "better balance": lambda line: line["tiers"][1] < 298.34}),
    Target(case="shards", size="9999x200x20", time_limit_s=34, peer={"seconds": 34, "goal": 0.190},
           shows={"repaired in 1 s": _repaired(1), "better in 3 s": _below(0.190, 3)}),
    Target(case="shards", size="99999x2000x50", time_limit_s=100, peer={"seconds": 102, "goal": 0.971},
           shows={"better in 10 s": _below(0.971, 10)}),
    Target(case="shards", size="999999x10000x100", time_limit_s=115,
           peer={"seconds": 132, "overfull": 293, "spread": 8575, "peak_rss_bytes": 3.5e9},
           shows={"repaired in 120 s": lambda line: _in_all(120)(line) and line["tiers"][0] == 0,
                  "2.5 GB": _memory(2.5)}),
    Target(case="sev0", time_limit_s=12, peer={"seconds": 235, "solve_seconds": 155, "peak_rss_bytes": 6.1e9,
                                               "moved": 240},
           shows={"12 s in all": _in_all(12), "optimal": _gap(0, 1e-9), "2 GB": _memory(2)}),
    Target(case="group_limit", time_limit_s=0.5, peer={"seconds": 15.3},
           shows={"0.5 s": _in_all(0.5), "optimal": _gap(0, 0.0)}),
    Target(case="colocate", time_limit_s=1, peer={"seconds": 23.6},
           shows={"1 s": _in_all(1), "optimal": _gap(0, 0.0)}),
    Target(case="single", time_limit_s=1, peer={"seconds": 29.0},
           shows={"1 s": _in_all(1), "all placed": lambda line: line["unplaced"] == 0}),
)  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Parse the command line, run the cases, print a line for each; 0 when all show what they must."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks assignment_targets")
    parser.add_argument("--only", action="append", choices=sorted({t.case for t in TARGETS}))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="also append the lines to this file")
    given = parser.parse_args(arguments)
    good = True
    for target in TARGETS:
        if given.only is None or target.case in given.only:
            line = _run(target, given.threads)
            good = good and all(line["shows"].values())
            text = json.dumps(line)
            print(text, flush=True)
            if given.out is not None:
                with given.out.open("a", encoding="utf-8") as out:
                    out.write(text + "\n")
    return 0 if good else 1


def _run(target: Target, threads: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", "assignment", target.case, "--trajectory"]
    command += ["--time-limit", str(target.time_limit_s), "--threads", str(threads)]
    command += ["--size", target.size] if target.size else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        return {"case": target.case, "error": done.stderr[-500:], "shows": {"runs": False}}
    line: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    shows = {name: bool(line["tiers"]) and bool(check(line)) for name, check in target.shows.items()}
    seconds = line["build_seconds"] + line["solve_seconds"]
    line["trajectory"] = line["trajectory"][-5:]
    return line | {
        "time_limit": target.time_limit_s,
        "peer": dict(target.peer),
        "peer_seconds_over_ours": round(target.peer["seconds"] / seconds, 2),
        "shows": shows,
    }
