"""Wrong usages of the real command line: each is answered by what is wrong, and what to type instead."""
# ruff: noqa: E501 - command lines are not wrapped

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from planner.cli.exit_codes import ExitCode

ROOT = Path(__file__).parents[1]
LOAD = "--rate 20 --isl 4000 --osl 500"
TARGETS = "--ttft-p95 1s --tpot-p95 30ms"
ASK = f"capacity qwen3-32b {LOAD} {TARGETS} --gpu h100"
FLEET = (ROOT / "examples" / "one_model.yaml").read_text()
BAD, NONE = ExitCode.BAD_INPUT, ExitCode.INFEASIBLE

CASES = {
    # names
    "command": ("capacty", BAD, "did you mean 'capacity'?"),
    "flag": (f"{ASK} --headrom 10%", BAD, "--headroom"),
    "model": (f"capacity qwen3-32 {LOAD} {TARGETS} --gpu h100", BAD, "MODEL: .*did you mean 'qwen3-32b'"),
    "gpu": (f"capacity qwen3-32b {LOAD} {TARGETS} --gpu h10", BAD, "--gpu: .*did you mean 'h100'"),
    "precision": (f"{ASK} --weights fp9", BAD, "--weights: .*did you mean 'fp8'"),
    "exporter": ("export plan.json --to vlm", BAD, "did you mean 'vllm'"),
    "benchmark of a workload": ("what-if fleet.yaml --demand chatt=x2", BAD, "did you mean 'chat'"),
    "unknown key": ("plan unknown_key.yaml", BAD, r"unknown_key.yaml:12: .*did you mean 'kv_cache'"),
    # what is missing
    "no rate": (f"capacity qwen3-32b --isl 4000 --osl 500 {TARGETS} --gpu h100", BAD, "--rate 20/s"),
    "no gpu": (f"capacity qwen3-32b {LOAD} {TARGETS}", BAD, "--gpu h100"),
    "no lengths": (f"capacity qwen3-32b --rate 20 {TARGETS} --gpu h100", BAD, "--isl with --osl"),
    "half the lengths": (f"capacity qwen3-32b --rate 20 --isl 9 {TARGETS} --gpu h100", BAD, "--isl with --osl"),
    "no target": (f"capacity qwen3-32b {LOAD} --ttft-p95 1s --gpu h100", BAD, "--tpot-p95 30ms"),
    "no change": ("what-if fleet.yaml", BAD, "--demand"),
    "no format": ("export plan.json", BAD, "--list"),
    # quantities
    "no unit": (f"capacity qwen3-32b {LOAD} --ttft-p95 1 --tpot-p95 30ms --gpu h100", BAD,
                r"--ttft-p95: '1' needs .*1s \(1000ms\)"),
    "no unit in a document": ("plan no_unit.yaml", BAD, r"tpot_p95: 30 needs .*30s \(30000ms\) or 30ms"),
    "a unit of something else": (f"{ASK} --headroom 3ms", BAD, "--headroom: .*10%"),
    "per cent without its sign": (f"{ASK} --headroom 20", BAD, "20 per cent is '20%'"),
    "no number": (f"{ASK.replace('20', 'twenty')}", BAD, "--rate: .*8/s"),
    "a price by another sign": (f"{ASK} --price h100:2.5", BAD, "--price: .*h100=2.50"),
    "a time limit": ("plan fleet.yaml --time-limit soon", BAD, "bare number is seconds"),
    "no tokens": (f"capacity qwen3-32b --rate 2 --isl 0 --osl 5 {TARGETS} --gpu h100", BAD, "at least one token"),
    "no GPUs": (f"{ASK} --max-gpus 0", BAD, "at least one GPU"),
    # files
    "no file": ("plan none.yaml", BAD, "none.yaml: .*No such file"),
    "a folder": ("plan folder", BAD, "folder: .*directory"),
    "empty": ("plan empty.yaml", BAD, "empty.yaml: the document is empty"),
    "binary": ("plan binary.yaml", BAD, "binary.yaml: .*not UTF-8 text"),
    "no mapping": ("plan text.yaml", BAD, "mapping with the keys fleet, pools"),
    "broken YAML": ("plan broken.yaml", BAD, "broken.yaml:2"),
    "output in no folder": ("plan fleet.yaml --out none/plan.json", BAD, "folder none does not exist"),
    "output is a folder": ("plan fleet.yaml --out folder", BAD, "is a folder; add a file name"),
    "no trace": (f"capacity qwen3-32b --trace none.csv {TARGETS} --gpu h100", BAD, "--trace: .*does not exist"),
    "binary trace": ("simulate binary.yaml --model qwen3-32b --gpu h100", BAD, "not text: CSV with a header"),
    "columns": (f"capacity qwen3-32b --trace odd.csv {TARGETS} --gpu h100", BAD, "arrival=a,input=…,output=… "),
    "unknown column": ("simulate odd.csv --columns arrival=when,input=b,output=c --model qwen3-32b --gpu h100",
                       BAD, "unknown column 'when'; known: a, b, c"),
    "a line of a trace": ("simulate half.csv --model qwen3-32b --gpu h100", BAD, "half.csv:3: .*'many'"),
    "a fleet for a plan": ("report fleet.yaml", BAD, "a fleet document, not a plan.*fulcrum plan"),
    "a plan for a fleet": ("plan plan.json", BAD, "a plan, not a fleet document.*fulcrum report"),
    "a fleet for a problem": ("solve fleet.yaml", BAD, "not an assignment problem: it is for fulcrum plan"),
    "a problem for a fleet": ("plan problem.yaml", BAD, "it is for fulcrum solve"),
    "flags beside a document": ("capacity fleet.yaml --rate 20", BAD, "--rate: the document says that"),
    "no address": ("serve --listen here", BAD, "HOST:PORT"),
    # what cannot be
    "below physics": (f"capacity qwen3-32b {LOAD} --ttft-p95 1s --tpot-p95 0.1ms --gpu h100", NONE,
                      r"below what one idle request needs.*\(--tpot-p95 [0-9.]+ms\)"),
    "too few GPUs": (f"{ASK} --max-gpus 4", NONE, r"needs \d+ × .*\(--max-gpus \d+\).*\(--rate [0-9.]+/s\)"),
    "more GPUs than a node": (f"{ASK} --gpus-per-node 1000", BAD, "--gpus-per-node: must be at most 72"),
    "tensor over nodes": ("plan tensor16.yaml", NONE, r"does not fit a node of 8 GPUs.*parallelism.tensor: \["),
    "tensor and heads": ("plan tensor3.yaml", NONE, r"64 attention heads do not divide by TP 3.*parallelism.tensor: \["),
    "tensor and heads of one": ("estimate qwen3-32b --gpu h100 --isl 9 --osl 9 --rate 1 --tp 3", BAD,
                                "do not divide by TP 3.*sizes that do: 1, 2, 4, 8"),
    "too large": ("capacity llama-3.1-405b --rate 1 --isl 90 --osl 9 --ttft-p95 9s --tpot-p95 1s --gpu a100 --max-gpus 2",
                  NONE, r"fits no GPU.*Closest: .*\(--"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("wrong")
    examples = ROOT / "examples"
    files = {
        "fleet.yaml": FLEET,
        "azure_2023_conv.yaml": (examples / "azure_2023_conv.yaml").read_text(),
        "problem.yaml": (examples / "problems" / "knapsack.yaml").read_text(),
        "unknown_key.yaml": FLEET.replace("kv_cache: fp8", "kv_cach: fp8"),
        "no_unit.yaml": FLEET.replace("tpot_p95: 30ms", "tpot_p95: 30"),
        "tensor3.yaml": FLEET.replace("headroom: 10%", "parallelism: {tensor: [3]}"),
        "tensor16.yaml": FLEET.replace("headroom: 10%", "parallelism: {tensor: [16]}"),
        "plan.json": '{"schema": "fulcrum.plan/1",\n"fleet": "x"}',
        "text.yaml": "hello\n",
        "broken.yaml": "fleet: [\n",
        "empty.yaml": "",
        "odd.csv": "a,b,c\n1,2,3\n",
        "half.csv": "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,9,9\n"
        "2023-11-16 18:17:04,many,9\n",
    }
    for name, text in files.items():
        (here / name).write_text(text)
    (here / "binary.yaml").write_bytes(bytes(range(255, 0, -1)))
    (here / "folder").mkdir()
    return here


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_usage_is_told_what_to_type(name, folder, monkeypatch, capsys):
    from planner.cli.app import run

    arguments, code, words = CASES[name]
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    assert run(arguments.split()) == code
    shown = capsys.readouterr()
    text = " ".join((shown.err if code == BAD else shown.out + shown.err).split())
    assert re.search(words, text, re.IGNORECASE), text
    assert "Traceback" not in text
    assert "internal error" not in text
    assert len(text) < 1500
    if code == BAD:
        assert shown.out == ""
    assert sorted(folder.iterdir()) == before


def test_the_process_itself_ends_with_the_code_and_the_sentence(folder):
    """The same through a real process, once for each code."""
    for name in ("gpu", "too few GPUs"):
        arguments, code, words = CASES[name]
        done = subprocess.run(
            [sys.executable, "-c", "from planner.cli import main; main()", *arguments.split()],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        )  # fmt: skip
        assert done.returncode == code
        assert re.search(words, " ".join((done.stdout + done.stderr).split()), re.IGNORECASE)
        assert "\x1b" not in done.stdout + done.stderr  # no colours where there is no terminal
