"""`fulcrum workload describe`: tables, JSON, and what it refuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from planner.cli.app import run

ROOT = Path(__file__).parents[4]
TRACES = Path(os.environ.get("FULCRUM_DATA", ROOT.parent / "shared" / "data")) / "traces"
TRACE = str(ROOT / "examples" / "tutorial" / "my_trace.csv")


def test_a_trace_as_a_table_and_as_json(capsys):
    assert run(["workload", "describe", TRACE]) == 0
    text = capsys.readouterr().out
    assert run(["workload", "describe", TRACE, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert text.startswith(f"{found['requests']:,} requests in ")
    assert f"coefficient of variation {found['arrivals']['gap_variation']:.2f}" in text
    assert sum(found["input_tokens"]["histogram"]["counts"]) == found["requests"]
    assert "█" in text


def test_a_table_of_lengths_has_no_arrivals(capsys):
    assert run(["workload", "describe", str(ROOT / "examples" / "azure_2023_conv.yaml"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["arrivals"] is None
    assert found["requests"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([TRACE, "--cache", "1M"], "begin alike"),
        ([TRACE, "--cache", "much"], "500k or 2M"),
        ([TRACE, "--columns", "arrival=x"], "missing in"),
        (["none.csv"], "No such file"),
    ],
)
def test_what_cannot_be_described(arguments, words, capsys):
    assert run(["workload", "describe", *arguments]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.skipif(not TRACES.is_dir(), reason="needs the published traces: FULCRUM_DATA")
def test_published_traces(capsys):
    """Figures of the publications: Azure's code trace has 8,819 requests, Mooncake's conversations 12,031."""
    assert run(["workload", "describe", str(TRACES / "azure_llm_2023_code.csv"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["requests"] == 8819
    path = str(TRACES / "mooncake_conversation.jsonl")
    assert run(["workload", "describe", path, "--json", "--cache", "1M", "--cache", "10M"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["requests"] == 12031
    reuse = found["reuse"]
    assert 0 < reuse["cached"]["1000000"] < reuse["cached"]["10000000"] < reuse["ideal"] < 0.5
