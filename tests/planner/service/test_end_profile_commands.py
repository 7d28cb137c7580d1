"""A GPU of one's own, from its folder to a plan of a server: the commands as people type them."""

from __future__ import annotations

import json

import pytest
from formula import write_formula_profile

from models.profiles.store import read_profile
from models.profiles.validate import validate_profile
from planner.cli.app import run
from planner.service.backend import PipelineBackend, Question

LENGTHS = {
    "kind": "LengthDistribution", "source": "made up", "levels": [0.0, 0.5, 1.0],
    "input_tokens": [16, 64, 128], "bands": [{"up_to": 1.0, "output_tokens": [4, 8, 16]}],
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A profile of a device that no catalogue has, in a folder that nothing here looks at."""
    monkeypatch.delenv("FULCRUM_PROFILES", raising=False)
    return write_formula_profile(tmp_path, "our-box").folder


@pytest.fixture
def fleet(tmp_path):
    pool = {"name": "here", "gpu": "our-box", "nodes": 1, "gpus_per_node": 1, "racks": 1, "zone": "a",
            "price_per_gpu_hour": 1.0}  # fmt: skip
    model = {"name": "m", "architecture": "tiny.json", "weights": "bf16", "engine": "vllm"}
    workload = {"model": "m", "rate": "1/s", "lengths": LENGTHS, "slo": {"ttft_p95": "60s", "tpot_p95": "9s"}}
    config = {
        "model_type": "llama", "hidden_size": 128, "intermediate_size": 256, "num_attention_heads": 4,
        "num_key_value_heads": 2, "num_hidden_layers": 2, "vocab_size": 512, "head_dim": 32,
        "max_position_embeddings": 1024,
    }  # fmt: skip
    (tmp_path / "tiny.json").write_text(json.dumps(config))
    document = {"fleet": "f", "pools": [pool], "models": [model], "workloads": [workload],
                "goals": ["unserved_demand", "cost"]}  # fmt: skip
    path = tmp_path / "fleet.json"
    path.write_text(json.dumps(document))
    return path


def said(capsys, *arguments: str, code: int = 0):
    """What a command prints as JSON; its exit code must be `code`."""
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments: str) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == 1
    return capsys.readouterr().err


def test_a_gpu_of_ones_own_from_the_folder_to_the_plan(
    shared_real_server, capsys, folder, fleet, tmp_path
) -> None:
    there = ["--server", shared_real_server.address]
    plan = ["plan", str(fleet), *there, "--no-verify"]
    assert "unknown GPU 'our-box'" in refused(capsys, *plan)  # as the server says, not as we do

    checked = said(capsys, "profile", "upload", str(folder), "--check-only", *there)
    assert "our-box" not in [it["name"] for it in said(capsys, "profile", "list", *there)]
    kept = said(capsys, "profile", "upload", str(folder), *there)
    assert kept["sha256"] == checked["sha256"]
    assert kept in said(capsys, "profile", "list", *there)
    assert said(capsys, "profile", "show", "our-box", *there) == kept
    assert (kept["name"], kept["origin"], kept["device"]) == ("our-box", "uploaded", "Formula 1")

    made = said(capsys, *plan)
    assert {instance["gpu"] for instance in made["instances"]} == {"our-box"}
    assert kept["sha256"] in json.dumps(made["basis"])
    assert said(capsys, "fleet", "register", str(fleet), *there)["name"] == "f"
    compared = said(capsys, "what-if", str(fleet), "--demand", "m=x2", "--no-verify", *there)
    assert compared["after"]["state"] == "optimal"

    back = tmp_path / "back"
    said(capsys, "profile", "download", "our-box", "--out", str(back), *there)
    assert read_profile(back, eager=True).manifest.tables == read_profile(folder).manifest.tables
    assert "exists" in refused(capsys, "profile", "download", "our-box", "--out", str(back), *there)

    # a plan rests on it: deleted all the same, and the plan is as it was
    assert said(capsys, "profile", "delete", "our-box", *there) == {"deleted": "our-box"}
    assert "unknown GPU 'our-box'" in refused(capsys, *plan)
    assert "does not exist" in refused(capsys, "profile", "delete", "our-box", *there)
    assert said(capsys, "profile", "delete", "our-box", "--allow-missing", *there)


def test_what_the_server_says_of_a_profile_is_what_validate_says_here(
    shared_real_server, capsys, folder
) -> None:
    there = ["--server", shared_real_server.address]
    said(capsys, "profile", "upload", str(folder), "--name", "trusted", *there)
    found, here = said(capsys, "profile", "validate", "trusted", *there), validate_profile(folder)
    assert found["name"] == "trusted"
    assert found["warnings"] == list(here.warnings)
    for ours, theirs in zip(here.accuracy, found["tables"], strict=True):
        assert (theirs["operation"], theirs["row_count"]) == (ours.operation, ours.points)
        assert theirs["tested_count"] == ours.tested
        if ours.tested:
            assert theirs["median_error_ratio"] == ours.median
            assert (theirs["p90_error_ratio"], theirs["max_error_ratio"]) == (ours.p90, ours.worst)
        else:
            assert theirs["median_error_ratio"] is None
    assert any(ours.tested for ours in here.accuracy)


def test_what_is_not_validated_in_time_is_said(folder) -> None:
    """With no time at all: read, and nothing tested."""
    question = Question(kind="validate_profile", document="", profiles={"x": str(folder)}, time_limit_s=0.0)
    answer = json.loads(PipelineBackend().ask(question, print, lambda: False).answer_json)
    assert [table["tested_count"] for table in answer["tables"]] == [0] * 4
    assert answer["warnings"][0] == "attention_decode: not tested, the time was up"
    assert len(answer["warnings"]) == 4


def test_other_mistakes_are_told_here_whatever_gpus_the_server_has(shared_real_server, capsys, fleet) -> None:
    document = json.loads(fleet.read_text())
    document["workloads"][0]["model"] = "n"
    fleet.write_text(json.dumps(document, indent=1))
    error = refused(capsys, "plan", str(fleet), "--server", shared_real_server.address)
    assert "unknown model 'n'" in error
    assert "our-box" not in error
    assert str(fleet) in error
