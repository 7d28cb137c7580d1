from pathlib import Path

import pytest

from planner.cli.app import run

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"


def test_replays_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.csv"
    trace.write_text(HEADER + "".join(f"2023-11-16 18:17:{s:02d}.5000000,300,20\n" for s in range(30)))
    arguments = ["simulate", str(trace), "--model", "llama-3.1-8b", "--gpu", "h100"]
    assert run(arguments) == 0
    text = capsys.readouterr().out
    assert "throughput  1.0" in text
    assert run([*arguments, "--scale", "2"]) == 0
    assert "throughput  2.0" in capsys.readouterr().out


def test_a_missing_trace_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "none.csv", "--model", "llama-3.1-8b", "--gpu", "h100"]) == 1
    assert "cannot read the trace" in capsys.readouterr().err
