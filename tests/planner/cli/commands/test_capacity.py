"""`fulcrum capacity`."""

from __future__ import annotations

import json

import pytest

from planner.cli.app import run

BASE = [
    "capacity", "llama-3.1-8b", "--gpu", "h100", "--isl", "1000", "--osl", "100", "--ttft-p95", "1s",
    "--tpot-p95", "30ms",
]  # fmt: skip


def test_table_and_json_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BASE, "--rate", "20", "--price", "h100=$2.50/h"]) == 0
    table = capsys.readouterr().out
    assert run([*BASE, "--rate", "1200/min", "--price", "h100=2.5", "--json", "--top", "1"]) == 0
    found = json.loads(capsys.readouterr().out)["answers"][0]
    (way,) = found["ways"]
    assert table.startswith(f"20.0/s need {way['gpus']} × h100-sxm-80gb at {way['price_per_hour']:.2f}/h")
    assert found["demand_per_s"] == 20
    assert way["price_per_hour"] == pytest.approx(2.5 * way["gpus"])


def test_impossible_is_exit_code_2_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BASE[:-1], "1ms", "--rate", "20"]) == 2
    text = capsys.readouterr().out
    assert "below what one idle request needs" in text
    assert "Closest: tpot_p95:" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rate", "20", "--price", "h100"], "GPU=PRICE"),
        (["--rate", "20", "--price", "h100=1", "--price", "h100=2"], "two prices"),
        (["--rate", "20 per second"], "needs one of the units /s, /min, /h"),
        (["--rate", "20", "--trace", "x.csv"], "--isl with --osl, or --lengths FILE, or --trace FILE"),
        (["--rate", "20", "--headroom", "150%"], "between 0 and 1"),
        ([], "give the load"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*BASE, *arguments]) == 1
    assert message in capsys.readouterr().err
