"""`fulcrum report`."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.assemble import make_outcomes, make_pool_uses
from planner.cli.app import run
from planner.plan import Plan, Stage
from planner.testing import make_fleet, make_instance


def test_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = tmp_path / "plan.json"
    fleet = make_fleet()
    instances = (make_instance("chat-mixed-0", (Stage("a/r0/n0", (0, 1)), Stage("a/r0/n0", (2, 3)))),)
    made = Plan(
        fulcrum_version="1", fleet="test", fleet_digest="", seed=0, state="optimal", cost_per_hour=1.0,
        instances=instances, workloads=make_outcomes(fleet, instances),
        pools=make_pool_uses(fleet, instances),
        objectives=(), moves=(), basis=(),
    )  # fmt: skip
    plan.write_text(made.to_json())
    assert run(["report", str(plan), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "page.html" in capsys.readouterr().out


def test_what_is_no_plan_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert run(["report", str(tmp_path / "x.json")]) == 1
    assert "x.json" in capsys.readouterr().err
