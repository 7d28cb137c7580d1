"""A client no one here wrote: Node.js, ``@grpc/grpc-js``, the plain .proto files.

Set ``FULCRUM_NODE_MODULES`` to a ``node_modules`` folder made from ``node/package.json``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from planner.service.generate import PROTO

HERE = Path(__file__).parent / "node"
MODULES = os.environ.get("FULCRUM_NODE_MODULES", str(HERE / "node_modules"))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.skipif(
    not (Path(MODULES) / "@grpc" / "grpc-js").is_dir(),
    reason="needs @grpc/grpc-js: npm install in tests/planner/service/node, or FULCRUM_NODE_MODULES",
)
def test_node_creates_watches_and_fetches_a_plan(server):
    document = "{fleet: demo, steps: 3, pause_s: 0.05}"
    command = ["node", str(HERE / "client.js"), str(PROTO), server.address, document]

    done = subprocess.run(
        command,
        check=False,
        env={**os.environ, "NODE_PATH": MODULES},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["done"]
    assert result["sequences"] == [1, 2, 3]
    assert result["states"] == ["STATE_OPTIMAL", "STATE_OPTIMAL"]
    assert result["instances"][0]["stages"] == [
        {"node": "h100/r0/n0", "gpu_indices": [0, 1]},
        {"node": "h100/r1/n2", "gpu_indices": [4, 5]},
    ]
    assert result["same"]
    assert result["listed"] == [True]
    assert result["refusal"]["code"] == 3
    assert "fleet" in result["refusal"]["details"]
