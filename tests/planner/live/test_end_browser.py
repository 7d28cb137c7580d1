"""The live view in Chromium, with clicks: log in, watch a plan being made, read it, log out."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from planner.service.gen.fulcrum.v1 import planning_service_pb2

HERE = Path(__file__).parent
MODULES = os.environ.get("FULCRUM_NODE_MODULES", str(HERE.parent / "report" / "page" / "node_modules"))
SHOTS = os.environ.get("FULCRUM_SCREENSHOTS", "")
SCRIPT = "fleet: demo\nsteps: 30\npause_s: 0.3\nphase: sizing"
TOKEN = "a-token-of-the-test"


@pytest.mark.slow
@pytest.mark.skipif(
    shutil.which("node") is None or shutil.which("chromium") is None, reason="needs node and chromium"
)
@pytest.mark.skipif(
    not all((Path(MODULES) / name).is_dir() for name in ("puppeteer-core", "axe-core")),
    reason="needs puppeteer-core and axe-core: npm install beside the page's test, or FULCRUM_NODE_MODULES",
)
def test_a_person_with_a_browser(start_server, tmp_path):
    tokens = tmp_path / "tokens.yaml"
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    tokens.write_text(f"tokens:\n  - {{name: ada, tenant: one, role: planner, sha256: {digest}}}\n")
    server = start_server(http="127.0.0.1:0", tokens=tokens)
    server.planning.CreatePlan(
        planning_service_pb2.CreatePlanRequest(document=SCRIPT),
        metadata=(("authorization", f"Bearer {TOKEN}"),), timeout=30,
    )  # fmt: skip
    url = f"http://127.0.0.1:{server.server.live.port}/"
    done = subprocess.run(
        ["node", str(HERE / "browser.js"), url, TOKEN, shutil.which("chromium") or "", SHOTS],
        env={**os.environ, "NODE_PATH": MODULES}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["errors"] == []  # nothing that the page's own policy had to stop, either
    assert found["violations"] == {name: [] for name in ("login", "list", "progress", "plan")}
    assert found["seen"] == {
        "refused": "The token is not known, or has expired.", "cookieOfScripts": "", "phase": "sizing",
        "gap": found["seen"]["gap"], "title": "Plan of demo", "open": True, "legend": 1,
        "states": ["optimal"], "after": "/login",
    }  # fmt: skip
    assert found["seen"]["gap"].endswith("%")
