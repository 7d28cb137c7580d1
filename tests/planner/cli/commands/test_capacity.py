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
    assert "(--tpot-p95 " in text


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


FLEET = """\
fleet: two
pools: [{name: a, gpu: h100-sxm-80gb, nodes: 1, gpus_per_node: 2, price_per_gpu_hour: 2}]
models: [{name: m, architecture: llama-3.1-8b}]
workloads:
  - model: m
    rate: RATE
    lengths: {levels: [0, 1], input_tokens: [1000, 1000], bands: [{up_to: 1, output_tokens: [100, 100]}]}
    slo: {ttft_p95: 1s, tpot_p95: 30ms}
policies: {parallelism: {tensor: [1], pipeline: [1]}, roles: [mixed]}
"""


def test_a_document_is_answered_for_growing_loads(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    """One GPU serves so much: the growth that needs a third, and a second node, is known beforehand."""
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET.replace("RATE", "1/s"))
    assert run([*BASE, "--max-gpus", "1", "--json", "--top", "1"]) == 0
    one = json.loads(capsys.readouterr().out)["answers"][0]["ways"][0]["capacity_per_s"]
    path.write_text(FLEET.replace("RATE", f"{1.6 * one}/s"))
    assert run(["capacity", str(path), "--json", "--growth", "0%", "--growth", "50%"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["largest_factor"] == pytest.approx(2 / 1.6, rel=0.02)
    assert found["alone"][0]["way"]["gpus"] == 2
    today, later = found["growth"]
    assert (today["fits"], later["fits"]) == (True, False)
    assert (today["cost_per_hour"], later["cost_per_hour"]) == (4, 6)
    assert [pool["nodes_missing"] for growth in (today, later) for pool in growth["pools"]] == [0, 1]
    assert run(["capacity", str(path), "--growth", "50%"]) == 2
    assert "it lacks 1 node of a" in capsys.readouterr().out


def test_flags_of_a_question_do_not_go_with_a_document(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(FLEET.replace("RATE", "1/s"))
    assert run(["capacity", str(path), "--rate", "20", "--gpu", "h100"]) == 1
    assert "--rate, --gpu: the document says that" in capsys.readouterr().err.replace(
        "--gpu, --rate", "--rate, --gpu"
    )
