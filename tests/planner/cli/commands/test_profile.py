"""`fulcrum profile …` as people type it."""

import json
from pathlib import Path

import pytest

from models.profiles.importers.registry import importers
from models.profiles.store import read_manifest
from planner.cli.app import run

CONFIG = {
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "vocab_size": 512,
    "head_dim": 32,
    "max_position_embeddings": 1024,
}
ENOUGH_POINTS = 10
"""Of each operation: with fewer, shapes of the check lie beyond them."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A profile of this CPU, measured through NumPy by the command itself, and its model."""
    folder = tmp_path_factory.mktemp("profile")
    (folder / "tiny").mkdir()
    (folder / "tiny" / "config.json").write_text(json.dumps(CONFIG))
    model = str(folder / "tiny")
    small = ["--tp", "1", "--max-tokens", "64", "--max-context", "128", "--max-batch", "8"]
    small += ["--ops", "gemm,attention,elementwise"]
    where = ["--device", "cpu:numpy", "--out", str(folder / "cpu")]
    for _ in range(10):  # a busy machine needs more time: the same command continues a finished profile
        assert run(["profile", "run", *where, "--budget", "4s", "--models", model, *small]) == 0
        if min(table.rows for table in read_manifest(folder / "cpu").tables.values()) >= ENOUGH_POINTS:
            break
    return folder / "cpu", model


def test_run_writes_a_profile(measured: tuple[Path, str]) -> None:
    manifest = read_manifest(measured[0])

    assert manifest.basis == "measured"
    assert set(manifest.tables) == {"attention_decode", "attention_prefill", "elementwise", "gemm"}
    assert manifest.details["models"] == [measured[1]]


def test_show_compare_validate_list(
    measured: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(measured[0])
    assert run(["profile", "show", folder]) == 0
    assert "attention_decode" in capsys.readouterr().out
    assert run(["profile", "compare", folder, folder]) == 0
    assert "1.00" in capsys.readouterr().out
    assert run(["profile", "validate", folder]) == 0
    assert "every file is whole" in capsys.readouterr().out
    monkeypatch.setenv("FULCRUM_PROFILES", str(measured[0].parent))
    assert run(["profile", "list"]) == 0
    assert "cpu  " in capsys.readouterr().out


def test_check_compares_predicted_with_measured(
    measured: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        [
            "profile",
            "check",
            str(measured[0]),
            "--model",
            measured[1],
            "--device",
            "cpu:numpy",
            "--layers",
            "1",
        ]
    )
    shown = capsys.readouterr().out

    assert code == 0
    assert "1 of 2 layers" in shown
    assert "steps within 8 %" in shown
    for kind in ("prefill", "decode", "mixed"):
        assert kind in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--out", "x", "--device", "gpu"], "unknown device 'gpu'"),
        (["run", "--out", "x", "--device", "cpu:numpy", "--budget", "soon"], "duration"),
        (["run", "--out", "x", "--device", "cpu:numpy", "--ops", "gem"], "did you mean 'gemm'"),
        (["run", "--out", "x", "--device", "cpu:numpy", "--tp", "two"], "--tp takes whole numbers"),
        (["run", "--out", "x", "--device", "cpu:numpy", "--models", "llama-3.1-8c"], "did you mean"),
        (["show", "no-such-profile"], "unknown profile"),
        (["validate", "no-such-profile"], "unknown profile"),
        (["import", "nowhere", "--system", "h9000", "--out", "x"], "unknown system"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["profile", *arguments]) == 1
    error = capsys.readouterr().err

    assert message in error
    assert error.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_damage_is_reported_with_the_file(
    measured: tuple[Path, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(measured[0], copy)
    (copy / "gemm.parquet").write_bytes(b"PAR1")

    assert run(["profile", "validate", str(copy)]) == 1
    assert "gemm.parquet: checksum" in capsys.readouterr().err


def test_help_names_every_format_that_can_be_imported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["profile", "import", "--help"]) == 0
    said = "".join(capsys.readouterr().out.split())
    assert all(name in said for name in importers())
