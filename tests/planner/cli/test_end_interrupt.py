"""Ctrl-C keeps the best so far, progress is told on a terminal only, and shells complete what is typed."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FULCRUM = [sys.executable, "-c", "from planner.cli import main; main()"]
TERMINAL = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "PYTHONPATH": str(ROOT)}
# Shards of uneven size and prime weight: a gap of nothing is not closed in the seconds this test takes.
HARD = {
    "kind": "AssignmentProblem",
    "objects": {"name": "shard", "count": 60},
    "containers": {"name": "host", "count": 7},
    "assignment": {f"shard{n}": "host0" for n in range(60)},
    "dimensions": {
        "load": {
            "objects": {f"shard{n}": 1000 + (n * n * 7919) % 997 for n in range(60)},
            "containers": {"default": 100_000},
        }
    },
    "goals": [[{"balance": {"scope": "host", "dimension": "load", "formula": "squares"}}]],
}


def on_a_terminal(arguments, folder, *, until=None, then=None, limit_s=90.0):
    """Run on a pseudo-terminal; once it printed what `until` matches, call `then`; text and exit code."""
    parent, child = pty.openpty()
    running = subprocess.Popen(
        [*FULCRUM, *arguments], cwd=folder, stdin=child, stdout=child, stderr=child, env=TERMINAL
    )
    os.close(child)
    text, end = "", time.monotonic() + limit_s
    while time.monotonic() < end:
        ready, _, _ = select.select([parent], [], [], 0.2)
        if ready:
            try:
                piece = os.read(parent, 65536)
            except OSError:  # the other side is gone
                break
            text += piece.decode(errors="replace")
        elif running.poll() is not None:
            break
        if then is not None and until is not None and re.search(until, text):
            then(running)
            then = None
    os.close(parent)
    return text, running.wait(timeout=limit_s)


@pytest.mark.slow
def test_ctrl_c_keeps_the_best_so_far_and_progress_told_its_gap(tmp_path):
    (tmp_path / "hard.yaml").write_text(json.dumps(HARD))
    text, code = on_a_terminal(
        ["solve", "hard.yaml", "--time-limit", "60s", "--gap", "0", "--out", "answer.json"], tmp_path,
        until=r"best [0-9][^\r]*gap [0-9.e+-]+ %", then=lambda running: running.send_signal(signal.SIGINT),
    )  # fmt: skip
    assert re.search(r"best [0-9][^\r]*gap", text), text[-2000:]
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["status"] in ("cancelled", "feasible")
    assert len(answer["assignment"]) == 60
    assert code == 0


def test_colours_only_on_a_terminal(tmp_path):
    ask = ["capacity", "llama-3.1-8b", "--gpu", "h100", "--rate", "2", "--isl", "90", "--osl", "9",
           "--ttft-p95", "1s", "--tpot-p95", "1s"]  # fmt: skip
    text, code = on_a_terminal(ask, tmp_path)
    assert code == 0
    assert "\x1b[" in text
    plain = subprocess.run(
        [*FULCRUM, *ask], cwd=tmp_path, env=TERMINAL, capture_output=True, text=True, check=True
    )
    assert "\x1b" not in plain.stdout + plain.stderr
    off = on_a_terminal([*ask, "--json"], tmp_path)[0]
    assert "\x1b" not in off


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell, tmp_path):
    """What the installed completion asks the program when ``fulcrum wh`` is typed."""
    asked = {
        "bash": {"COMP_WORDS": "fulcrum wh", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "fulcrum wh"},
        "fish": {"_TYPER_COMPLETE_ARGS": "fulcrum wh", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = subprocess.run(
        FULCRUM, env={**TERMINAL, **asked, "_FULCRUM_COMPLETE": f"complete_{shell}"}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "what-if" in done.stdout
    assert "capacity" not in done.stdout
