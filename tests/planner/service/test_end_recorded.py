"""`fulcrum plan --server`: with a trace too, the plan that is made there is the one made here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import planner.fleet.resolve
from planner.cli.app import run
from planner.cli.exit_codes import ExitCode
from planner.plan import Plan

FLEET = """\
fleet: t
pools: [{name: a, gpu: h100, nodes: 1, gpus_per_node: 4, price_per_gpu_hour: 2}]
models: [{name: m, architecture: llama-3.1-8b}]
workloads:
  - model: m
    trace: trace.csv
    columns: {arrival: at, input: in, output: out}
    slo: {ttft_p95: 500ms, tpot_p95: 20ms}
policies: {parallelism: {tensor: [1], pipeline: [1]}, roles: [mixed]}
"""


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    random = np.random.default_rng(0)
    columns = (
        np.cumsum(random.exponential(0.1, 600)),
        random.integers(200, 900, 600),
        random.integers(50, 200, 600),
    )
    rows = "".join(f"{at},{i},{o}\n" for at, i, o in zip(*columns, strict=True))
    (tmp_path / "trace.csv").write_text("at,in,out\n" + rows)
    (tmp_path / "fleet.yaml").write_text(FLEET)
    return ["plan", str(tmp_path / "fleet.yaml"), "--out"]


def test_recorded_arrivals_are_replayed_there_as_here(shared_real_server, asked, tmp_path):  # type: ignore[no-untyped-def]
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    assert run([*asked, str(here)]) == ExitCode.OK
    assert run([*asked, str(there), "--server", shared_real_server.address]) == ExitCode.OK
    assert there.read_bytes() == here.read_bytes()
    verification = Plan.from_json(there.read_text()).verification
    assert verification is not None
    assert verification.arrivals == "poisson and trace"


def test_what_was_too_long_to_send_is_said(shared_real_server, asked, tmp_path, capsys, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(planner.fleet.resolve, "INLINED_CHARACTERS", 100)
    there = tmp_path / "there.json"
    assert run([*asked, str(there), "--server", shared_real_server.address]) == ExitCode.OK
    assert "too long to be sent: the trace of m" in capsys.readouterr().out
    verification = Plan.from_json(there.read_text()).verification
    assert verification is not None
    assert verification.arrivals == "poisson"
