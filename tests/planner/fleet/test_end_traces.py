"""Fleet documents take every trace that is known, and others whose columns are named."""

from __future__ import annotations

import json

import pytest

from models.errors import InvalidInput
from planner.fleet import read_fleet

FLEET = """\
fleet: t
pools: [{name: a, gpu: h100, nodes: 1, gpus_per_node: 8, price_per_gpu_hour: 1}]
models: [{name: m, architecture: llama-3.1-8b}]
workloads: [{model: m, TRACE, slo: {ttft_p95: 1s, tpot_p95: 40ms}}]
"""
CSV = "when,prompt,answer\n" + "".join(f"{n / 4},{100 + n},{10 + n}\n" for n in range(41))
MOONCAKE = "".join(
    json.dumps({"timestamp": 250 * n, "input_length": 100 + n, "output_length": 10 + n}) + "\n"
    for n in range(41)
)


@pytest.mark.parametrize(
    ("name", "text", "trace"),
    [
        ("t.csv", CSV, "trace: t.csv, columns: {arrival: when, input: prompt, output: answer}"),
        ("t.jsonl", MOONCAKE, "trace: t.jsonl"),
    ],
)
def test_rate_and_lengths_come_from_it(name, text, trace, tmp_path):
    (tmp_path / name).write_text(text)
    fleet = read_fleet(FLEET.replace("TRACE", trace), base_dir=tmp_path)
    (workload,) = fleet.workloads
    assert workload.rate_per_s == pytest.approx(4.0)
    assert workload.lengths.mean_input_tokens == pytest.approx(120, rel=0.01)
    again = read_fleet(fleet.self_contained, allow_files=False)
    assert again.digest == fleet.digest


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        ("trace: t.csv", "of no known format"),
        ("trace: t.csv, columns: {arrival: when, input: prompts, output: answer}", "did you mean 'prompt'"),
        ("trace: t.csv, columns: {arrival: when, input: prompt}", "missing key 'output'"),
        (
            "rate: 1/s, lengths: {}, columns: {arrival: a, input: b, output: c}",
            "columns name those of a trace",
        ),
    ],
)
def test_columns_that_are_not_there(trace, words, tmp_path):
    (tmp_path / "t.csv").write_text(CSV)
    with pytest.raises(InvalidInput) as error:
        read_fleet(FLEET.replace("TRACE", trace), base_dir=tmp_path)
    assert words in str(error.value)
