"""`fulcrum diff`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from planner.assemble import make_outcomes, make_pool_uses
from planner.cli.app import run
from planner.plan import Plan, Stage
from planner.testing import make_fleet, make_instance

FLEET = make_fleet()
STAYS = make_instance("chat-mixed-0", (Stage("a/r0/n0", (0, 1)), Stage("a/r0/n0", (2, 3))))
GOES = make_instance("chat-mixed-1", (Stage("a/r0/n1", (0, 1)), Stage("a/r0/n1", (2, 3))))
MOVED = replace(GOES, stages=(Stage("a/r0/n1", (4, 5)), Stage("a/r0/n1", (6, 7))))


def write(path: Path, *instances, price: float) -> str:
    plan = Plan(
        fulcrum_version="1", fleet="test", fleet_digest="", seed=0, state="optimal", cost_per_hour=price,
        instances=instances, workloads=make_outcomes(FLEET, instances),
        pools=make_pool_uses(FLEET, instances), objectives=(), moves=(), basis=(),
    )  # fmt: skip
    path.write_text(plan.to_json())
    return str(path)


def test_moves_and_price(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = write(tmp_path / "a.json", STAYS, GOES, price=20.0)
    target = write(tmp_path / "b.json", STAYS, MOVED, price=15.0)
    assert run(["diff", base, target]) == 0
    assert capsys.readouterr().out == (
        "move  chat-mixed-1  a/r0/n1 [0,1], a/r0/n1 [2,3] → a/r0/n1 [4,5], a/r0/n1 [6,7]\n"
        "1 moves, 1 instances stay, 20.00/h → 15.00/h\n"
    )
    assert run(["diff", base, target, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (len(found["moves"]), found["unchanged"], found["price_per_hour_change"]) == (1, 1, -5.0)
    assert run(["diff", base, base]) == 0
    assert capsys.readouterr().out == "0 moves, 2 instances stay, 20.00/h → 20.00/h\n"
