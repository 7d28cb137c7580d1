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


def test_finds_prompts_in_the_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace.jsonl"
    line = '{"timestamp": %d, "input_length": 1100, "output_length": 9, "hash_ids": [1, 2, 3]}\n'
    trace.write_text("".join(line % (1000 * second) for second in range(10)))
    arguments = ["simulate", str(trace), "--model", "llama-3.1-8b", "--gpu", "l4", "--tp", "2"]
    assert run(arguments) == 0
    assert "prompt tokens found in the cache: 83.8%" in capsys.readouterr().out  # 9 × 1,024 of 11,000
    assert run([*arguments, "--no-prefix-cache"]) == 0
    assert "found in the cache" not in capsys.readouterr().out
    assert run([*arguments, "--reuse", "0.5"]) == 0
    assert "prompt tokens found in the cache: 50.0%" in capsys.readouterr().out


def test_prefill_and_decode_instances(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = Path(__file__).parents[4] / "examples" / "azure_2023_conv.yaml"
    arguments = ["simulate", "--lengths", str(table), "--requests", "300", "--rate", "2", "--variation", "2"]
    arguments += ["--model", "llama-3.1-8b", "--gpu", "l4", "--tp", "2"]
    assert run([*arguments, "--prefill", "2", "--decode", "1"]) == 0
    assert "throughput" in capsys.readouterr().out
    assert run([*arguments, "--prefill", "2"]) == 1
    assert "go together" in capsys.readouterr().err


def test_a_closed_loop_of_drawn_lengths(capsys: pytest.CaptureFixture[str]) -> None:
    table = Path(__file__).parents[4] / "examples" / "azure_2023_code.yaml"
    arguments = ["simulate", "--lengths", str(table), "--requests", "200", "--model", "llama-3.1-8b"]
    arguments += ["--gpu", "l4", "--tp", "2"]
    assert run([*arguments, "--concurrency", "8"]) == 0
    assert run(arguments) == 1
    assert "--rate or --concurrency" in capsys.readouterr().err
    assert run(["simulate", "--model", "llama-3.1-8b", "--gpu", "l4"]) == 1
    assert "a trace, or a length table" in capsys.readouterr().err
