"""The how-to guides are true: every command on them is run, in order, in a copy of the examples.

Servers are processes; the commands run here, one after the other: that they work as processes too is what
`test_end_wrong_usage` and `planner/cli/test_end_interrupt` are about.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from planner.cli.app import run

ROOT = Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs" / "howto").glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FULCRUM = "import sys; from planner.cli import main; sys.exit(main())"


@pytest.mark.slow
@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_every_command_of_the_guide_works(guide, tmp_path, monkeypatch, capsys):
    shutil.copytree(ROOT / "examples", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "118")
    servers: list[subprocess.Popen[bytes]] = []
    ran = 0
    try:
        for language, text in BLOCK.findall(guide.read_text()):
            if language == "yaml" and (named := re.match(r"# (\S+\.yaml)\n", text)):
                (tmp_path / named[1]).write_text(text)
            for line in text.replace("\\\n", " ").splitlines() if language == "console" else ():
                if not line.startswith("$ fulcrum "):
                    continue
                words = line.removeprefix("$ fulcrum ").split()
                if words[-1] == "&":
                    servers.append(_serve(words[:-1], tmp_path))
                    continue
                code = run(words)
                printed = capsys.readouterr()
                assert code == 0, f"{line}\n{printed.out}\n{printed.err}"
                assert printed.out.strip()
                ran += 1
    finally:
        for server in servers:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=60)
    assert ran > 0


def test_there_is_a_guide_for_each_common_task():
    wanted = {
        "one-model",
        "mixed-cluster",
        "split",
        "own-profile",
        "policy",
        "service",
        "rebalance",
        "reshard",
    }
    assert wanted <= {guide.stem for guide in GUIDES}


def _serve(words: list[str], folder: Path) -> subprocess.Popen[bytes]:
    log = folder / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-c", FULCRUM, *words], cwd=folder, stdout=out, stderr=out,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    host, _, port = words[words.index("--listen") + 1].rpartition(":")
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((host, int(port))) == 0:
                return server
        time.sleep(0.1)
    raise AssertionError(log.read_text())
