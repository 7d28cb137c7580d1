"""`--json` on every command: it is there, and what it prints is one JSON text and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer

from planner.cli.app import build_app, run

ROOT = Path(__file__).parents[3]
WITHOUT = {
    ("serve",): "runs until it is stopped, and writes a log",
    ("agent",): "runs until it is stopped, and writes a log",
    ("schema",): "prints JSON by itself",
}
"""Commands that need no such flag, and why."""
EXAMPLES = ROOT / "examples"
MODEL = "--gpu h100 --weights fp8"
RUNS = [
    f"capacity llama-3.1-8b {MODEL} --rate 2 --isl 90 --osl 9 --ttft-p95 1s --tpot-p95 1s",
    "capacity one_model.yaml --growth 0%",
    "diff plan.json plan.json",
    f"estimate llama-3.1-8b {MODEL} --isl 100 --osl 10 --rate 2/s",
    "explain tasks_on_hosts.yaml OBJECT",
    "export plan.json --to vllm",
    "export --list",
    "init --model llama-3.1-8b --gpu h100 --out new.yaml",
    "pareto one_model.yaml --headroom 0%",
    "plan one_model.yaml --no-verify",
    "profile list",
    "profile show h100-sxm-80gb",
    "profile import",
    "report plan.json --out page.html",
    f"simulate my_trace.csv --model llama-3.1-8b {MODEL}",
    "solve tasks_on_hosts.yaml",
    "specs",
    "specs capacity",
    "version",
    "what-if one_model.yaml --demand chat=x2 --no-verify",
    "workload describe my_trace.csv",
]


def leaves(command, words=()):
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, (*words, name))
    if not hasattr(command, "commands"):
        yield words, command


ALL = dict(leaves(typer.main.get_command(build_app())))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_every_command_prints_json_where_asked(words):
    flags = {flag for parameter in ALL[words].params for flag in parameter.opts}
    assert ("--json" in flags) == (words not in WITHOUT), WITHOUT.get(words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    here = tmp_path_factory.mktemp("json")
    for path in (
        *EXAMPLES.glob("*.yaml"),
        *(EXAMPLES / "problems").glob("*.yaml"),
        *(EXAMPLES / "tutorial").iterdir(),
    ):
        shutil.copy(path, here)
    assert run(["plan", str(here / "one_model.yaml"), "--no-verify", "--out", str(here / "plan.json")]) == 0
    return here


@pytest.mark.parametrize("line", RUNS)
def test_what_it_prints_is_json_and_nothing_else(line, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    first = next(iter(json.loads(_solved(folder, capsys))))
    assert run([*line.replace("OBJECT", first).split(), "--json"]) == 0
    shown = capsys.readouterr()
    assert isinstance(json.loads(shown.out), dict | list)
    assert shown.out.endswith("\n")
    assert shown.err == ""


def _solved(folder, capsys):
    """Names of objects of the problem, as JSON."""
    capsys.readouterr()
    assert run(["solve", str(folder / "tasks_on_hosts.yaml"), "--json"]) == 0
    return json.dumps(json.loads(capsys.readouterr().out)["assignment"])


def test_doctor_prints_a_line_of_json_for_each_finding(capsys):
    run(["doctor", "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"subject", "level", "message", "remedy"} == set(found[0])
