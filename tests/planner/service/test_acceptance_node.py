"""A client no one here wrote: Node.js, ``@grpc/grpc-js``, the plain .proto files."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from node_tools import MODULES, needs_packages

from planner.service.generate import PROTO
from planner.testing import SMALL_FLEET

HERE = Path(__file__).parent / "node"


def client(address, document):
    """What the client prints."""
    done = subprocess.run(
        ["node", str(HERE / "client.js"), str(PROTO), address, document],
        env={**os.environ, "NODE_PATH": str(MODULES)}, check=False,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_packages("@grpc/grpc-js", "@grpc/proto-loader")
def test_node_creates_watches_and_fetches_a_plan(server):
    result = client(server.address, "{fleet: demo, steps: 3, pause_s: 0.05}")

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
    assert result["health"] == "SERVING"
    assert {"fulcrum.v1.PlanningService", "google.longrunning.Operations", "grpc.health.v1.Health"} <= set(
        result["services"]
    )


@needs_packages("@grpc/grpc-js", "@grpc/proto-loader")
def test_node_with_the_real_planner(shared_real_server):
    result = client(shared_real_server.address, SMALL_FLEET)

    assert result["done"]
    assert result["sequences"] == list(range(1, len(result["sequences"]) + 1))
    assert len(result["sequences"]) >= 2
    assert result["states"] == ["STATE_OPTIMAL", "STATE_OPTIMAL"]
    assert {instance["name"].split("-")[0] for instance in result["instances"]} == {"chat", "code"}
    assert result["same"]
