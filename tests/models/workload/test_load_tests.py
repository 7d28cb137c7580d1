"""Results of load generators, as their tools write them, read as traces."""

from __future__ import annotations

import json

import pytest

from models.errors import InvalidInput
from models.workload import read_trace


def write(folder, name, text):
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def test_vllm_with_start_times(tmp_path):
    value = {
        "input_lens": [30, 10, 20],
        "output_lens": [3, 1, 0],
        "start_times": [7.5, 7.0, 7.2],
        "duration": 1,
    }
    found = read_trace(write(tmp_path, "result.json", value))
    assert found.arrivals_s.tolist() == [0.0, 0.5]  # the one without output failed
    assert found.input_tokens.tolist() == [10, 30]
    assert found.output_tokens.tolist() == [1, 3]


def test_vllm_without_start_times_has_lengths_and_no_rate(tmp_path):
    found = read_trace(write(tmp_path, "result.json", {"input_lens": [30, 10], "output_lens": [3, 1]}))
    assert len(found) == 2
    assert found.duration_s == 0


def aiperf(start_ns, prompt, answer, **more):
    metrics = {
        "input_sequence_length": {"value": prompt, "unit": "tokens"},
        "output_sequence_length": {"value": answer},
    }
    return json.dumps({"metadata": {"request_start_ns": start_ns, **more}, "metrics": metrics})


def test_aiperf(tmp_path):
    lines = [
        aiperf(2_000_000_000, 9, 2), aiperf(1_000_000_000, 5, 1), aiperf(0, 1, 1, benchmark_phase="warmup"),
        json.dumps({"metadata": {"request_start_ns": 3}, "metrics": {}, "error": {"code": 500}}),
    ]  # fmt: skip
    found = read_trace(write(tmp_path, "profile_export.jsonl", "\n".join(lines) + "\n"))
    assert found.arrivals_s.tolist() == [0.0, 1.0]
    assert found.input_tokens.tolist() == [5, 9]


@pytest.mark.parametrize("place", ["request_start_time", "start_time"])
def test_guidellm_takes_the_benchmark_with_most_requests(place, tmp_path):
    def run(*starts):
        each = [{place: start, "prompt_tokens": 10, "output_tokens": 2} for start in starts]
        return {"requests": {"successful": each, "errored": []}}

    report = {"benchmarks": [run(1.0), run(5.0, 4.0, 6.0)]}
    found = read_trace(write(tmp_path, "benchmarks.json", json.dumps(report, indent=1)))
    assert found.arrivals_s.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.json", {"input_lens": [1], "output_lens": [1, 2]}, "1 input_lens, 2 output_lens"),
        ("a.json", {"input_lens": [0], "output_lens": [2]}, "at least one token"),
        ("a.json", {"input_lens": [1], "output_lens": [0]}, "no request succeeded"),
        ("a.json", {"benchmarks": []}, "none of its benchmarks holds requests"),
        ("a.jsonl", aiperf(1, 2, 3) + "\nnonsense\n", "a.jsonl:2: not a JSON object"),
        ("a.jsonl", aiperf("soon", 2, 3), "start 'soon'"),
    ],
)
def test_what_is_wrong_is_said(name, text, words, tmp_path):
    with pytest.raises(InvalidInput) as error:
        read_trace(write(tmp_path, name, text))
    assert words in str(error.value)
