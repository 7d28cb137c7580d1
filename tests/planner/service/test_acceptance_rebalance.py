"""The rebalancing job from the command line, against a server that really plans."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from planner.cli.app import run
from planner.service.fleet_client import FleetClient
from planner.testing import chat_document

FLEET = chat_document(gpus_per_node=8)


class Job:
    """Runs turns of the job on measurements made up by the test."""

    def __init__(self, folder: Path, address: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.path, self.address, self.capsys = folder / "load.csv", address, capsys

    def turn(
        self, rate_per_s: float, *options: str, ttft_ms: str = "", age_s: float = 0.0
    ) -> tuple[int, Any]:
        """Exit code and JSON of a turn after ten samples of one rate."""
        now = time.time() - age_s
        rows = [f"{now - 60 * i},chat,{rate_per_s},{ttft_ms}" for i in range(10)]
        self.path.write_text("time_s,workload,rate_per_s,ttft_ms\n" + "\n".join(rows) + "\n")
        code = run(
            ["rebalance", "--fleet", "demo", "--server", self.address, "--measurements", str(self.path),
             "--once", "--json", "--step", "1min", "--horizon", "5min", *options]
        )  # fmt: skip
        text = self.capsys.readouterr().out
        return code, json.loads(text) if text else None


@pytest.mark.slow
def test_a_day_of_the_job(
    tmp_path: Path, start_server: Callable[..., Any], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = start_server(backend="planner.service.backend:PipelineBackend")
    document = tmp_path / "fleet.yaml"
    document.write_text(FLEET)
    assert run(["fleet", "register", str(document), "--server", server.address]) == 0
    assert capsys.readouterr().out == "demo: no plan promoted\n"
    job = Job(tmp_path, server.address, capsys)

    code, first = job.turn(10.0)  # without --auto a plan waits
    assert (code, first["decision"], first["reasons"]) == (2, "waiting", ["no plan is promoted yet"])
    with FleetClient(server.address) as fleets:
        assert fleets.get("demo").promoted_plan == ""
    assert run(["fleet", "promote", "demo", first["plan"], "--server", server.address]) == 0
    capsys.readouterr()

    code, calm = job.turn(10.0, "--auto")
    assert (code, calm["decision"], calm["plan"]) == (0, "hold", None)

    code, grown = job.turn(60.0, "--auto")
    assert (code, grown["decision"]) == (0, "promoted")
    assert grown["new_price_per_hour"] > grown["price_per_hour"]
    assert {move["action"] for move in grown["moves"]} == {"start"}  # what runs goes on

    # long after, what should carry it misses its target: the plan was worth less than it said
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600)
    code, more = job.turn(60.0, "--auto", ttft_ms="1500")
    assert (code, more["decision"]) == (0, "promoted")
    assert 1 < more["workloads"][0]["factor_after_missed_targets"] < 2
    assert "TTFT was 1500 ms, the target 1000 ms" in more["reasons"][1]
    assert more["new_price_per_hour"] > grown["new_price_per_hour"]
    code, idle = job.turn(2.0, "--auto", "--cooldown", "2h", ttft_ms="1500")
    assert (code, idle["decision"]) == (2, "targets missed")
    monkeypatch.setattr(time, "time", real)

    code, saving = job.turn(10.0, "--auto")  # too soon after the last change
    assert (code, saving["decision"]) == (0, "hold")
    code, capped = job.turn(10.0, "--auto", "--cooldown", "1ms", "--max-moves", "1")
    assert (code, capped["decision"]) == (2, "waiting")
    assert "more than the cap of 1" in capped["reasons"][-1]

    code, stale = job.turn(60.0, "--auto", age_s=3600)
    assert (code, stale["decision"]) == (2, "measurements stale")
    assert "s old, more than 180 s" in stale["reasons"][0]

    with FleetClient(server.address) as fleets:
        fleets.acquire("demo", "someone", 60)
        assert job.turn(60.0, "--auto") == (1, None)
        fleets.release("demo", "someone")
        before = fleets.history("demo")
        assert [(p.kind, p.plan) for p in before] == [
            ("promote", turn["plan"]) for turn in (more, grown, first)
        ]
        assert before[0].reason.startswith("rebalance: chat: ")


@pytest.mark.slow
def test_a_promotion_whose_targets_are_missed_is_taken_back(
    tmp_path: Path, start_server: Callable[..., Any], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    server = start_server(backend="planner.service.backend:PipelineBackend")
    document = tmp_path / "fleet.yaml"
    document.write_text(FLEET)
    run(["fleet", "register", str(document), "--server", server.address])
    capsys.readouterr()
    job = Job(tmp_path, server.address, capsys)
    _, first = job.turn(60.0, "--auto")
    _, grown = job.turn(110.0, "--auto")
    assert (first["decision"], grown["decision"]) == ("promoted", "promoted")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 120)
    _, kept = job.turn(110.0, "--auto", ttft_ms="5000")
    assert kept["decision"] != "rolled back"  # what ran before runs still: going back would only take away
    monkeypatch.setattr(time, "time", real)
    _, less = job.turn(10.0, "--auto", "--cooldown", "1ms")
    assert less["decision"] == "promoted"
    _, cold = job.turn(10.0, "--auto", ttft_ms="5000")
    assert cold["decision"] == "hold"  # engines that just started are slow: not held against the plan
    monkeypatch.setattr(time, "time", lambda: real() + 120)
    code, back = job.turn(10.0, "--auto", ttft_ms="5000")
    assert (code, back["decision"]) == (2, "rolled back")
    assert back["reasons"] == ["chat: TTFT is 5000 ms, the target 1000 ms"]
    with FleetClient(server.address) as fleets:
        assert fleets.get("demo").promoted_plan == grown["plan"]
        assert fleets.history("demo")[0].kind == "roll back"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--once", "--every", "5min", "--prometheus", "http://x"], "--once, or --every"),
        (["--prometheus", "http://x"], "--once, or --every"),
        (["--once"], "say where the load is measured"),
        (["--once", "--prometheus", "ftp://x"], "http:// or https://"),
        (["--once", "--prometheus", "http://x", "--horizon", "5"], "needs one of the units"),
        (["--once", "--prometheus", "http://x", "--min-saving", "200%"], "between 0 and 1"),
    ],
)
def test_wrong_usage(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["rebalance", "--fleet", "demo", *options]) == 1
    assert message in capsys.readouterr().err
