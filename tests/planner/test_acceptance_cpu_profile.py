"""The whole way on a CPU: measure this machine, name it as a pool's GPU, get a plan that rests on it."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from models.errors import InvalidInput
from models.profiles.store import read_profile
from planner.cli.app import build_app
from planner.pipeline import create_plan
from planner.plan.codec import plan_to_json

CONFIG = {
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "vocab_size": 512,
    "head_dim": 32,
    "max_position_embeddings": 4096,
}
"""Layers that a CPU computes in no time."""
ENOUGH_POINTS = 10
"""Of each operation: so few that five quiet seconds do, so many that they span the shapes."""


def fleet(gpu: str, weights: str = "bf16") -> str:
    lengths = {
        "kind": "LengthDistribution", "source": "made up", "levels": [0.0, 0.5, 1.0],
        "input_tokens": [16, 32, 64], "bands": [{"up_to": 1.0, "output_tokens": [4, 8, 32]}],
    }  # fmt: skip
    return yaml.safe_dump(
        {
            "fleet": "one-machine",
            "pools": [
                {"name": "here", "gpu": gpu, "nodes": 2, "gpus_per_node": 1, "racks": 1, "zone": "a",
                 "price_per_gpu_hour": 0.1}
            ],
            "models": [{"name": "tiny", "architecture": CONFIG, "weights": weights, "engine": "vllm"}],
            "workloads": [
                {"model": "tiny", "rate": "0.1/s", "lengths": lengths,
                 "slo": {"ttft_p95": "10s", "tpot_p95": "2s"}}
            ],
            "policies": {"parallelism": {"tensor": [1], "pipeline": [1]}},
            "goals": ["unserved_demand", "cost"],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a profile of this machine, made by the command: five seconds where nobody is busy."""
    folder = tmp_path_factory.mktemp("profiles")
    (folder / "tiny").mkdir()
    (folder / "tiny" / "config.json").write_text(json.dumps(CONFIG))
    asked = {
        "--device": "cpu:numpy", "--budget": "5s", "--models": str(folder / "tiny"), "--tp": "1",
        "--ops": "gemm,attention_prefill,attention_decode,hbm", "--max-tokens": "64", "--max-context": "256",
        "--max-batch": "8", "--out": str(folder / "this-machine"),
    }  # fmt: skip
    command = ["profile", "run", *(part for pair in asked.items() for part in pair)]
    for _ in range(10):  # a busy machine needs more time: the same command continues a finished profile
        done = CliRunner().invoke(build_app(), command)
        assert done.exit_code == 0, done.output
        tables = read_profile(folder / "this-machine").manifest.tables
        if len(tables) == 4 and min(entry.rows for entry in tables.values()) >= ENOUGH_POINTS:
            break
    return folder


@pytest.fixture(autouse=True)
def _found(profiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FULCRUM_PROFILES", str(profiles))


def test_a_profile_of_this_machine_drives_a_plan(profiles: Path) -> None:
    plan = create_plan(fleet("this-machine"))
    device = read_profile(profiles / "this-machine").manifest
    assert plan.state == "optimal"
    assert plan.instances
    assert {(i.gpu, i.basis) for i in plan.instances} == {("this-machine", "measured")}, "\n".join(plan.notes)
    operators = next(b for b in plan.basis if b.what == "operators on this-machine")
    assert operators.source.startswith("profile this-machine of ")
    assert "leave-one-out error: " in operators.source
    resting = {b.what: b for b in plan.basis}
    assert resting["gpu this-machine"].basis == "measured"
    assert device.created in resting["gpu this-machine"].source
    assert device.device.name in resting["gpu this-machine"].source
    assert resting["latencies and rates of instances"].basis == "measured"
    notes = " ".join(plan.notes)
    assert "products asked in bf16 are those measured in fp32" in notes
    assert "stand for those of vllm" in notes
    assert "datasheet" not in notes
    assert plan_to_json(create_plan(fleet("this-machine"))) == plan_to_json(plan)


def test_a_format_the_profile_lacks_is_infeasible_and_says_why() -> None:
    plan = create_plan(fleet("this-machine", weights="fp8"))
    assert plan.state == "infeasible"
    assert plan.diagnosis is not None
    assert "none in fp8" in str(plan.diagnosis)


def test_a_misspelt_profile_is_refused_with_its_name() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'this-machine'"):
        create_plan(fleet("this-machin"))
