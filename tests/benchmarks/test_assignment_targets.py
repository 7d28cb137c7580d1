"""What the large cases must show is read off the line correctly."""

from __future__ import annotations

import json

import pytest

from benchmarks import assignment_targets
from benchmarks.assignment_targets import TARGETS, Target, main, reached_s, value_at


def line(**changes):
    known = {
        "tiers": [0.0, 0.15],
        "trajectory": [
            [0.5, 0, 3.0, None, None], [0.5, 1, 0.1, 0.9, 5e6], [1.5, 0, 0.0, 0.0, 5e6],
            [1.5, 1, 0.3, 0.9, 5e6], [2.5, 1, 0.15, 0.8, None],
        ],
        "violations": 0, "build_seconds": 1.0, "solve_seconds": 4.0, "gap": [0.0, None], "unplaced": 0,
        "peak_rss_bytes": 10**9,
    }  # fmt: skip
    return known | changes


def test_times_and_values_come_from_the_trajectory():
    assert reached_s(line(), 0, 0.0) == 1.5
    assert reached_s(line(), 1, 0.2) == 2.5
    assert reached_s(line(), 1, 0.05) is None
    assert value_at(line(), 1, 2.0) == 0.3
    assert value_at(line(), 1, 0.1) is None


@pytest.mark.parametrize(
    ("case", "name", "changes", "expected"),
    [
        ("shards", "better in 3 s", {}, True),
        ("shards", "better in 3 s", {"tiers": [1.0, 0.15]}, False),
        ("shards", "repaired in 1 s", {}, False),
        ("sev0", "12 s in all", {}, True),
        ("sev0", "12 s in all", {"solve_seconds": 11.5}, False),
        ("sev0", "2 GB", {"peak_rss_bytes": 3 * 10**9}, False),
        ("colocate", "optimal", {"gap": [0.2, None]}, False),
    ],
)
def test_checks_say_yes_and_no(case, name, changes, expected):
    target = next(t for t in TARGETS if t.case == case)
    assert target.shows[name](line(**changes)) is expected


def test_the_command_runs_a_case_and_says_whether_it_holds(monkeypatch, capsys):
    small = Target(
        case="group_limit", size="20x5x4", time_limit_s=20, peer={"seconds": 15.3},
        shows={"optimal": lambda x: x["gap"][0] == 0.0, "never": lambda x: x["moved"] < 0},
    )  # fmt: skip
    monkeypatch.setattr(assignment_targets, "TARGETS", (small,))
    assert main(["--threads", "1"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["shows"] == {"optimal": True, "never": False}
    assert printed["peer"] == {"seconds": 15.3}
