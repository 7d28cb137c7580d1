"""`planner.cli.app`: commands, exit codes, errors as sentences, start-up time."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from planner.cli.app import run
from planner.cli.exit_codes import ExitCode

HEAVY = (
    "numpy",
    "scipy",
    "pydantic",
    "highspy",
    "ortools",
    "numba",
    "grpc",
    "pyarrow",
    "rich",
    "sqlalchemy",
    "yaml",
)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from planner.cli.app import run; run(['--help']);"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]; sys.exit(f'imported {{heavy}}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_imports_little() -> None:
    """``python -m benchmarks first-plan`` says how long it takes; this sees what it takes that long for."""
    count = "print(len(sys.modules), file=sys.stderr)"
    bare, shown = (
        int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr)
        for code in (
            f"import sys, typer; {count}",
            f"import sys; from planner.cli.app import run; run(['--help']); {count}",
        )
    )
    assert bare < shown < bare + 60


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == ExitCode.OK
    shown = capsys.readouterr().out
    folder = Path(__file__).parents[3] / "planner" / "cli" / "commands"
    names = {path.stem.replace("_", "-") for path in folder.glob("*.py") if path.stem != "__init__"}
    assert {"plan", "export", "schema", "version"} <= names
    listed = {line.split()[0] for line in shown.split("Commands:")[1].splitlines() if line.strip()}
    assert names <= listed


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version"]) == ExitCode.OK
    assert metadata.version("fulcrum-planner") in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["fleet", "plan"])
def test_schema_is_json_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", kind]) == ExitCode.OK
    schema = json.loads(capsys.readouterr().out)
    assert schema["type"] == "object"
    assert "2020-12" in schema["$schema"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["plna"], "No such command 'plna'"),
        (["plan"], "Missing argument"),
        (["plan", "none.yaml"], "none.yaml: cannot read the file: No such file or directory"),
        (["plan", "."], "Is a directory"),
        (["plan", "f.yaml", "--time-limit", "soon"], "Invalid value for '--time-limit'"),
        (["plan", "f.yaml", "--time-limit", "-3"], "positive number of seconds"),
        (["plan", "f.yaml", "--seed", "-1"], "seed"),
        (["plan", "f.yaml", "--sed", "1"], "No such option"),
        (["plan", "f.yaml", "--current", "none.json"], "none.json: cannot read the file"),
        (["schema", "flet"], "did you mean 'fleet'?"),
        (["export", "none.json", "--to", "vllm"], "none.json: cannot read the file"),
    ],
)
def test_wrong_usage_is_exit_code_1_and_a_sentence(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == ExitCode.BAD_INPUT
    captured = capsys.readouterr()
    assert words in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_unexpected_failures_are_exit_code_3_and_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import planner.fleet.document as document

    def broken(path: Path) -> str:
        raise ZeroDivisionError(f"while reading {path.name}")

    monkeypatch.setattr(document, "read_text", broken)
    assert run(["plan", str(tmp_path / "f.yaml")]) == ExitCode.FAILED
    error = capsys.readouterr().err
    assert "ZeroDivisionError: while reading f.yaml" in error
    assert "Traceback" not in error
    monkeypatch.setenv("FULCRUM_TRACEBACK", "1")
    assert run(["plan", str(tmp_path / "f.yaml")]) == ExitCode.FAILED
    assert "Traceback" in capsys.readouterr().err


def test_interrupt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import planner.fleet.document as document

    def interrupted(path: Path) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(document, "read_text", interrupted)
    assert run(["plan", str(tmp_path / "f.yaml")]) == ExitCode.INTERRUPTED
