"""The contract keeps its style and its promises, by buf: ``make proto-check``.

``proto/baseline.binpb`` is the contract that callers already use. ``make proto-baseline`` moves it, in a
commit that says why.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest
from node_tools import buf

from planner.service.generate import PROTO


def run(*arguments, cwd=PROTO):
    return subprocess.run([buf(), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False)


def breaking(proto, tmp_path):
    built = run("build", "--exclude-source-info", "-o", tmp_path / "now.binpb", cwd=proto)
    assert built.returncode == 0, built.stderr
    return run("breaking", tmp_path / "now.binpb", "--against", PROTO / "baseline.binpb", cwd=tmp_path)


def test_lint():
    done = run("lint")
    assert done.returncode == 0, done.stdout + done.stderr


def test_callers_of_the_baseline_are_still_understood(tmp_path):
    done = breaking(PROTO, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("string document = 1 ", "string text = 1 ", 'changed name from "document" to "text"'),
        ("int32 page_size = 1 ", "int64 page_size = 1 ", 'changed type from "int32" to "int64"'),
        ("repeated Move moves = 1;", "", "deleted"),
        ("rpc GetPlan(", "rpc FetchPlan(", 'Previously present RPC "GetPlan"'),
    ],
)
def test_what_breaks_callers_is_noticed(old, new, complaint, tmp_path):
    proto = tmp_path / "proto"
    shutil.copytree(PROTO, proto)
    path = proto / "fulcrum" / "v1" / "planning_service.proto"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    done = breaking(proto, tmp_path)
    assert done.returncode != 0
    assert complaint in done.stdout
