"""A worker ends with its server even when that dies while the worker starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")

STARTS_AND_DIES = """
import os, signal, subprocess, sys, time
worker = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
print(worker.pid, flush=True)
time.sleep(float(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""
SLOW_TO_LOAD = "import time; time.sleep(600)\n"


def alive(process_id):
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("killed_after_s", [0.0, 0.05, 1.0])
def test_a_server_killed_while_its_worker_starts_leaves_no_worker(tmp_path, killed_after_s):
    """The backend never finishes to load, so nobody reads that stdin has closed."""
    (tmp_path / "slow_backend.py").write_text(SLOW_TO_LOAD)
    # The server's process id is what `python -c` has: it goes on the command line by way of the shell's exec.
    script = 'exec "$0" -c "$1" "$2" "$0" -m planner.service.leash $$ slow_backend:Backend'
    path = os.pathsep.join([str(tmp_path), *sys.path])
    server = subprocess.run(
        ["sh", "-c", script, sys.executable, STARTS_AND_DIES, str(killed_after_s)],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    worker = int(server.stdout)
    end_s = time.monotonic() + 30
    while alive(worker) and time.monotonic() < end_s:
        time.sleep(0.01)
    assert not alive(worker)


def test_a_process_that_is_not_the_parent_is_no_server():
    code = f"from planner.service.leash import die_with; die_with({os.getpid()}); print('lives')"
    lives = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (lives.returncode, lives.stdout) == (0, "lives\n")
    code = "from planner.service.leash import die_with; die_with(1); print('lives')"
    ends = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ends.returncode, ends.stdout) == (1, "")
