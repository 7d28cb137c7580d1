"""The rows of `capacity-cases` come from the command itself."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.capacity_cases import _row
from benchmarks.planner_cases.aiconfigurator import CASES


def test_a_row_and_one_that_cannot_be() -> None:
    easy = replace(CASES[-1], ttft_ms=2000, tpot_ms=50)
    found = _row(easy, 20.3)
    assert found["gpus_used"] <= easy.gpus
    assert found["tpot_p95_ms"] <= 50.01
    assert found["tokens_per_s_per_gpu"] > 0
    never = _row(replace(easy, tpot_ms=0.2), 20.3)
    assert never["arrangement"] is None
    assert "--tpot-p95" in never["closest"]
