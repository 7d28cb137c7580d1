"""`fulcrum init`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.cli.app import run
from planner.fleet import read_fleet_file


def test_what_it_writes_is_a_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "fleet.yaml"
    arguments = [
        "init", "--model", "llama-3.1-8b", "--model", "qwen3-32b", "--gpu", "h100:4", "--gpu", "l40s:2x4",
        "--price", "h100=2.5", "--rate", "5", "--out", str(out),
    ]  # fmt: skip
    assert run(arguments) == 0
    fleet = read_fleet_file(out)
    assert [(p.gpu.name, p.nodes, p.gpus_per_node, p.price_per_gpu_hour) for p in fleet.pools] == [
        ("h100-sxm-80gb", 4, 8, 2.5),
        ("l40s-48gb", 2, 4, 1.0),
    ]
    assert [w.rate_per_s for w in fleet.workloads] == [5, 5]
    assert "made up" in out.read_text()
    capsys.readouterr()
    assert run(arguments) == 1
    assert "exists already" in capsys.readouterr().err


def test_from_kubernetes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}
    item = {"metadata": {"labels": labels}, "status": {"allocatable": {"nvidia.com/gpu": "8"}}}
    nodes = tmp_path / "nodes.json"
    nodes.write_text(json.dumps({"items": [item, item, {}]}))
    out = tmp_path / "fleet.yaml"
    assert run(["init", "--model", "llama-3.1-8b", "--kubernetes", str(nodes), "--out", str(out)]) == 0
    assert read_fleet_file(out).pools[0].nodes == 2
    assert "left out 1 node without GPUs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "say which GPUs there are"),
        (["--gpu", "h100:0"], "expected GPU:NODESxGPUS"),
        (["--gpu", "h10"], "did you mean 'h100'"),
        (["--gpu", "h100", "--ttft-p95", "2"], "2s (2000ms) or 2ms?"),
        (["--kubernetes", "none.json"], "cannot read the nodes"),
    ],
)
def test_wrong_usage(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "fleet.yaml"
    assert run(["init", "--model", "llama-3.1-8b", "--out", str(out), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not out.exists()
