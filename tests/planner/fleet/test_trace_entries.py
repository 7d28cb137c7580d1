"""A trace written into a document: the same fleet, whoever reads it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import planner.fleet.resolve
from models.document import InvalidDocument
from models.workload import Trace
from planner.fleet import Fleet, read_fleet
from planner.fleet.trace_entries import TraceEntry, read_requests, requests_content

FLEET = """\
fleet: t
pools: [{name: a, gpu: h100, nodes: 1, gpus_per_node: 8, price_per_gpu_hour: 1}]
models: [{name: m, architecture: llama-3.1-8b}]
workloads:
  - {model: m, TRACE, scale: 2, slo: {ttft_p95: 1s, tpot_p95: 40ms}}
  - {name: n, model: m, TRACE, rate: 3/s, slo: {ttft_p95: 1s, tpot_p95: 40ms}}
policies: {demand: {percentile: 90, window: 10s}}
"""
HERE = "trace: t.csv, columns: {arrival: when, input: prompt, output: answer}"
WRITTEN = 'trace: {source: t.csv, requests: "REQUESTS"}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "".join(f"{n**1.5 / 7},{100 + n},{10 + n % 7}\n" for n in range(90))
    (tmp_path / "t.csv").write_text("when,prompt,answer\n" + rows)
    return tmp_path


def read(text: str, folder: Path) -> Fleet:
    return read_fleet(FLEET.replace("TRACE", text), base_dir=folder)


counts = st.lists(st.integers(1, 2**31 - 1), min_size=1, max_size=20)


@settings(max_examples=30)
@given(counts=counts, times=st.lists(st.floats(0, 1e9), min_size=20, max_size=20), source=st.text(min_size=1))
def test_what_is_written_reads_as_it_was(counts: list[int], times: list[float], source: str) -> None:
    trace = Trace(
        arrivals_s=np.array(sorted(times[: len(counts)])),
        input_tokens=np.array(counts),
        output_tokens=np.array(counts[::-1]),
        source=source,
    )
    again = read_requests(TraceEntry.model_construct(**requests_content(trace)))
    assert again.arrivals_s.tolist() == trace.arrivals_s.tolist()
    assert again.input_tokens.tolist() == trace.input_tokens.tolist()
    assert again.output_tokens.tolist() == trace.output_tokens.tolist()
    assert again.source == source


@pytest.mark.parametrize("periods", ["", "periods: {count: 2, length: 1min}\n"])
def test_the_document_that_stands_by_itself_is_the_same_fleet(folder: Path, periods: str) -> None:
    fleet = (
        read(HERE, folder)
        if not periods
        else read_fleet(periods + FLEET.replace("TRACE", HERE), base_dir=folder)
    )
    again = read_fleet(fleet.self_contained, allow_files=False)
    assert (again.self_contained, again.digest) == (fleet.self_contained, fleet.digest)
    for mine, its in zip(fleet.workloads, again.workloads, strict=True):
        assert (mine.rate_per_s, mine.period_rates_per_s) == (its.rate_per_s, its.period_rates_per_s)
        assert mine.lengths_source == its.lengths_source == "t.csv"
        assert np.array_equal(mine.lengths.output_tokens, its.lengths.output_tokens)
        assert mine.recorded is not None
        assert its.recorded is not None
        parts = mine.recorded.part(0), its.recorded.part(0)
        assert parts[0] is not None
        assert parts[1] is not None
        assert parts[0].arrivals_s.tolist() == parts[1].arrivals_s.tolist()
        assert parts[0].rate_per_s == parts[1].rate_per_s


def test_long_ones_leave_their_lengths_and_rates(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read(HERE, folder)
    (first, second) = json.loads(whole.self_contained)["workloads"]
    assert first["trace"] == second["trace"]
    size = len(first["trace"]["requests"])
    for room, kept in ((2 * size, 2), (2 * size - 1, 1), (size - 1, 0)):
        monkeypatch.setattr(planner.fleet.resolve, "INLINED_CHARACTERS", room)
        fleet = read(HERE, folder)
        again = read_fleet(fleet.self_contained, allow_files=False)
        assert again.digest == fleet.digest
        assert [w.recorded is not None for w in again.workloads] == [n < kept for n in range(2)]
        assert [w.rate_per_s for w in again.workloads] == [w.rate_per_s for w in whole.workloads]
        assert [w.lengths_source for w in again.workloads] == ["t.csv", "t.csv"]


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ("", "trace"),
        ("0 1", "a line has 3 numbers, got 2"),
        ("0 1 1\\n1 1", "a line is seconds, prompt tokens, output tokens"),
        ("0 1 one", "a line is seconds, prompt tokens, output tokens"),
        ("0 1.5 1", "whole numbers"),
        ("0 1e30 1", "whole numbers"),
        ("0 nan 1", "whole numbers"),
        ("0 0 1", "must be ≥ 1"),
        ("1 1 1\\n0 1 1", "ascending"),
        ("nan 1 1", "finite"),
        ("0 1 1", "spans no time|shorter|windows"),
    ],
)
def test_what_is_no_trace_is_refused(requests: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument, match=said):
        read(WRITTEN.replace("REQUESTS", requests), tmp_path)


def test_columns_are_of_files(tmp_path: Path) -> None:
    columns = ", columns: {arrival: a, input: b, output: c}"
    with pytest.raises(InvalidDocument, match="columns name those of a trace in a file"):
        read(WRITTEN.replace("REQUESTS", "0 1 1\\n9 1 1") + columns, tmp_path)
