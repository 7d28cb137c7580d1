import csv
import json
import os
from pathlib import Path

import pytest

from models.architecture import architecture, architecture_names, resolve
from models.architecture.catalogue import published_parameters
from models.errors import InvalidInput, UnknownName

MEASURED = (
    Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[4] / "shared" / "data"))
    / "silicon"
    / "measured_serving.csv"
)


@pytest.mark.skipif(not MEASURED.is_file(), reason="the shared data are not there")
def test_every_model_that_was_measured_is_there_with_the_weights_of_its_checkpoint() -> None:
    with MEASURED.open(encoding="utf-8", newline="") as file:
        measured = {row["model_path"] for row in csv.DictReader(file)}
    assert len(measured) >= 15
    for name in measured:
        found = architecture(name)
        ending = name.rsplit("-", 1)[-1].casefold()
        if ending in ("fp8", "nvfp4"):
            assert found.checkpoint_precision.startswith(ending)


@pytest.mark.parametrize("name", architecture_names())
def test_parameters_within_half_a_percent_of_the_published_count(name: str) -> None:
    assert architecture(name).parameters == pytest.approx(published_parameters(name), rel=0.005)


@pytest.mark.parametrize(
    ("name", "published_active"),
    [
        ("mixtral-8x7b", 12.9e9),
        ("mixtral-8x22b", 39e9),
        ("qwen3-30b-a3b", 3.3e9),
        ("qwen3-235b-a22b", 22e9),
        ("deepseek-v3", 37e9),
        ("qwen3.5-397b-a17b", 17e9),
    ],
)
def test_active_parameters_match_the_published_figure(name: str, published_active: float) -> None:
    assert architecture(name).active_parameters == pytest.approx(published_active, rel=0.025)


def test_names_and_repositories_lead_to_the_same_architecture() -> None:
    assert architecture("meta-llama/Llama-3.1-70B-Instruct") is not None
    assert architecture("meta-llama/Llama-3.1-70B").parameters == architecture("LLAMA-3.1-70b").parameters


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"did you mean 'llama-3.1-70b'"):
        architecture("llama3.1-70b")


def test_resolve_reads_paths_relative_to_the_document(tmp_path: Path) -> None:
    config = {
        "model_type": "llama",
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": 100,
    }
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "config.json").write_text(json.dumps(config))
    for spelling in ("./tiny", "./tiny/config.json"):
        assert resolve(spelling, base=tmp_path).name == spelling
    # 2 layers of (4 h² + 3 h·i + 2 h), the final norm, embedding and head
    assert resolve("./tiny", base=tmp_path).parameters == 2 * (4 * 64**2 + 3 * 64 * 128 + 128) + 64 + 2 * 6400
    assert resolve("qwen3-32b").name == "qwen3-32b"
    with pytest.raises(InvalidInput, match="cannot read the model config"):
        resolve("./missing.json", base=tmp_path)
