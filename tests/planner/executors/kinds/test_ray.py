"""A real cluster of two nodes, each a Ray node of its own on this machine; see two_nodes.py."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from models.errors import InvalidInput, Unavailable
from planner.executors import open_executor

HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs ray: the extra [ray]"),
]


@pytest.fixture(scope="module")
def found():
    """What both scenarios found on one cluster."""
    # a short path: Ray keeps sockets in it, whose paths the kernel limits to 107 bytes
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        paths = [str(HERE.parent), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "RAY_TMPDIR": folder}
        environment.pop("RAY_ADDRESS", None)
        done = subprocess.run(
            [sys.executable, str(HERE / "two_nodes.py")],
            capture_output=True, text=True, timeout=240, check=False, env=environment,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_sweep_that_loses_a_node_equals_that_of_local_processes(found):
    found = found["node_killed"]
    assert found["slots"] == [2, 1]
    assert found["killed"]
    assert found["killed"][0] in found["lost"]
    assert found["same"]
    assert found["plans"] == 8


def test_limits_errors_reports_and_cancelling(found):
    found = found["limits"]
    assert found["counted"] == [3, 2]
    assert found["reports"] == [[0, 1, 2], [0, 1]]
    assert found["kinds"][1] == ["started", "reported", "reported", "ended"]
    assert [state for state, _, _ in found["failed"]] == ["done", "failed", "failed", "done"]
    assert found["failed"][1][1:] == ["InvalidInput", "unknown pool 'h10'; did you mean 'h100'?"]
    assert found["timed"] == ["timed_out", "done"]
    assert found["filled"] == ["out_of_memory", "done"]
    assert found["dead"] == [["lost", 2]]
    assert found["stopped"] == [
        ["done", "told to stop"],
        ["done", "told to stop"],
        *[["cancelled", None]] * 2,
    ]


def test_no_cluster_at_that_address():
    with pytest.raises(Unavailable, match=r"no Ray cluster at 127\.0\.0\.1:1: .*refused"):
        open_executor("ray:127.0.0.1:1")
    with pytest.raises(InvalidInput, match="HOST:PORT"):
        open_executor("ray:elsewhere")
