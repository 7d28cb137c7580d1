import csv
import json
import os
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from models.errors import FulcrumError, InvalidInput, UnknownName
from models.profiles.importers.registry import ImportRequest, importer, importers
from models.profiles.importers.splitwise import left_out_errors, read_splitwise
from models.profiles.importers.vidur import read_all_reduce
from models.profiles.store import read_profile

DATA = Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[5] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data are not there")

VLLM: dict[str, Any] = {
    "date": "20260101-000000", "endpoint_type": "vllm", "model_id": "m", "num_prompts": 640,
    "request_rate": "inf", "burstiness": 1.0, "max_concurrency": 64, "duration": 100.0, "completed": 640,
    "failed": 0, "total_input_tokens": 640_000, "total_output_tokens": 64_000, "request_throughput": 6.4,
    "output_throughput": 640.0, "mean_ttft_ms": 120.0, "median_ttft_ms": 100.0, "p99_ttft_ms": 900.0,
    "mean_tpot_ms": 20.0, "median_tpot_ms": 19.0, "p99_tpot_ms": 30.0, "mean_itl_ms": 21.0,
}  # fmt: skip
AIPERF: dict[str, Any] = {
    "schema_version": "1.4", "aiperf_version": "0.12.0",
    "input_config": {"endpoint": {"model_names": ["m"]}, "loadgen": {"concurrency": 64}},
    "request_count": {"unit": "requests", "avg": 640},
    "request_throughput": {"unit": "requests/sec", "avg": 6.4},
    "output_token_throughput": {"unit": "tokens/sec", "avg": 640.0},
    "benchmark_duration": {"unit": "sec", "avg": 100.0},
    "input_sequence_length": {"unit": "tokens", "avg": 1000.0},
    "output_sequence_length": {"unit": "tokens", "avg": 100.0},
    "time_to_first_token": {"unit": "ms", "avg": 120.0, "p50": 100.0, "p99": 900.0},
    "inter_token_latency": {"unit": "ms", "avg": 20.0, "p50": 19.0, "p99": 30.0},
}  # fmt: skip


def _successful(mean: float, median: float = 0.0, p99: float = 0.0) -> dict[str, Any]:
    return {"successful": {"count": 640, "mean": mean, "median": median, "percentiles": {"p99": p99}}}


GUIDELLM: dict[str, Any] = {
    "benchmarks": [
        {
            "config": {"strategy": {"type_": "concurrent", "streams": 64}, "model": "m"},
            "duration": 100.0,
            "metrics": {
                "request_totals": {"successful": 640, "errored": 0, "total": 640},
                "prompt_token_count": _successful(1000.0),
                "output_token_count": _successful(100.0),
                "requests_per_second": _successful(6.4),
                "output_tokens_per_second": _successful(640.0),
                "time_to_first_token_ms": _successful(120.0, 100.0, 900.0),
                "inter_token_latency_ms": _successful(20.0, 19.0, 30.0),
                "time_per_output_token_ms": _successful(99.0, 99.0, 99.0),
            },
        }
    ]
}
REPORTS = {"vllm-bench": VLLM, "aiperf": AIPERF, "guidellm": GUIDELLM}


def run(form: str, source: Path, out: Path, **options: str) -> list[str]:
    return importer(form)(ImportRequest(source=source, out=out, replace=False, options=options))


@pytest.mark.parametrize("form", sorted(REPORTS))
def test_three_tools_tell_the_same_story(form: str, tmp_path: Path) -> None:
    source, out = tmp_path / "profile_export_aiperf.json", tmp_path / "rows.csv"
    source.write_text(json.dumps(REPORTS[form]), encoding="utf-8")
    run(form, tmp_path if form == "aiperf" else source, out)
    with out.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["model"] == "m"
    assert int(row["requests"]) == 640
    assert int(row["concurrency"]) == 64
    assert row["rate_per_s"] == ""
    expected = {
        "input_tokens": 1000, "output_tokens": 100, "duration_s": 100, "requests_per_s": 6.4,
        "output_tokens_per_s": 640, "ttft_mean_ms": 120, "ttft_p50_ms": 100, "ttft_p99_ms": 900,
        "tpot_mean_ms": 20, "tpot_p50_ms": 19, "tpot_p99_ms": 30,
    }  # fmt: skip
    assert {name: float(row[name]) for name in expected} == expected


@pytest.mark.parametrize("form", sorted(REPORTS))
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"benchmarks": [3]}'])
def test_what_is_no_report_is_refused(form: str, text: str, tmp_path: Path) -> None:
    source = tmp_path / "report.json"
    source.write_text(text, encoding="utf-8")
    with pytest.raises(FulcrumError, match=r"report\.json"):
        run(form, source, tmp_path / "rows.csv")
    assert not (tmp_path / "rows.csv").exists()


def test_a_rate_is_kept_and_a_unit_that_is_none_refused(tmp_path: Path) -> None:
    from models.profiles.importers.aiperf import read_aiperf
    from models.profiles.importers.vllm_bench import read_vllm_bench

    source = tmp_path / "a.json"
    source.write_text(json.dumps(VLLM | {"request_rate": 2.5, "max_concurrency": None}), encoding="utf-8")
    found = read_vllm_bench(source)
    assert (found.rate_per_s, found.concurrency) == (2.5, None)
    source.write_text(json.dumps(VLLM | {"completed": 0}), encoding="utf-8")
    with pytest.raises(InvalidInput, match="no request"):
        read_vllm_bench(source)
    odd = AIPERF | {"time_to_first_token": {"unit": "furlongs", "avg": 1.0}}
    source.write_text(json.dumps(odd), encoding="utf-8")
    with pytest.raises(InvalidInput, match="furlongs"):
        read_aiperf(source)


def test_every_importer_says_what_it_reads_and_checks_its_options(tmp_path: Path) -> None:
    assert {"aiconfigurator", "distserve", "vidur-network", "splitwise", *REPORTS} <= set(importers())
    for name, known in importers().items():
        assert known.name == name
        assert known.summary
        wrong = dict.fromkeys(known.options, "x") | {"colour": "red"}
        with pytest.raises(InvalidInput, match="takes no --colour"):
            run(name, tmp_path, tmp_path / "out", **wrong)
        if known.options:
            with pytest.raises(InvalidInput, match=f"needs --{known.options[0]}"):
                run(name, tmp_path, tmp_path / "out")
    with pytest.raises(UnknownName, match="did you mean 'aiperf'"):
        importer("aiperv")


def test_rows_are_not_overwritten_by_accident(tmp_path: Path) -> None:
    source, out = tmp_path / "a.json", tmp_path / "rows.csv"
    source.write_text(json.dumps(VLLM), encoding="utf-8")
    run("vllm-bench", source, out)
    with pytest.raises(InvalidInput, match="--replace"):
        run("vllm-bench", source, out)


@needs_data
def test_vidur_s_all_reduce_becomes_a_profile(tmp_path: Path) -> None:
    source = DATA / "network" / "a100_dgx_all_reduce.csv"
    run("vidur-network", source, tmp_path / "p", gpu="a100-sxm-80gb")
    table = read_profile(tmp_path / "p", eager=True).table("all_reduce")
    # buffer over time, as read off the file in GB/s at 64 MiB: TP2 156, TP4 111, TP8 99; across two nodes 9.3
    large = table.numbers("size_bytes") == 67_108_864
    rate = {
        (int(n), str(link)): 67_108_864 / t / 1e3
        for n, link, t in zip(table["num_gpus"][large], table["link"][large], table.value[large], strict=True)
    }
    assert rate[2, "nvlink"] == pytest.approx(156, rel=0.01)
    assert rate[4, "nvlink"] == pytest.approx(111, rel=0.01)
    assert rate[8, "nvlink"] == pytest.approx(99, rel=0.01)
    assert rate[16, "network"] == pytest.approx(9.3, rel=0.01)


def test_a_network_table_with_a_bad_row_names_its_line(tmp_path: Path) -> None:
    header = "time_stats.all_reduce.median,num_workers,size,collective,devices_per_node\n"
    path = tmp_path / "n.csv"
    for rows, message in (
        ("0.1,2,2048,all_reduce,2\nfast,2,4096,all_reduce,2\n", ":3"),
        ("0.1,2,2048,broadcast,2\n", "unknown collective"),
        ("", "no row"),
    ):
        path.write_text(header + rows, encoding="utf-8")
        with pytest.raises(InvalidInput, match=message):
            read_all_reduce(path)
    path.write_text("size\n1\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="columns missing"):
        read_all_reduce(path)


@needs_data
def test_splitwise_predicts_what_is_left_out_within_3_per_cent() -> None:
    rows = read_splitwise(DATA / "splitwise" / "perf_model.csv")
    assert len(rows) == 1260
    assert fmean(left_out_errors(rows, "prompt_ms", "row")) < 0.03
    assert fmean(left_out_errors(rows, "token_ms", "row")) < 0.03
    assert fmean(left_out_errors(rows, "token_ms", "point")) < 0.03
    # a prompt time whose neighbours are an octave away is not that well predicted, and it is said
    assert 0.05 < fmean(left_out_errors(rows, "prompt_ms", "point")) < 0.12


def test_left_out_points_of_a_straight_line_have_no_error() -> None:
    from models.profiles.importers.splitwise import PhaseTime

    rows = [
        PhaseTime(
            model="m", hardware="h", tensor_parallel_size=1, prompt_tokens=n, batch_size=1,
            prompt_ms=10.0 + n, token_ms=5.0,
        )
        for n in (1, 2, 4, 8)
    ]  # fmt: skip
    assert np.allclose(left_out_errors(rows, "prompt_ms", "point"), 0.0)
    assert left_out_errors(rows, "prompt_ms", "row") == []


@needs_data
def test_coefficients_of_distserve(tmp_path: Path) -> None:
    source, out = DATA / "distserve" / "profiler-a100-80g.distserve.json", tmp_path / "rows.csv"
    run("distserve", source, out)
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = json.loads(source.read_text(encoding="utf-8"))
    assert len(rows) == 3 * sum(map(len, known.values()))
    for row in rows:
        entry = known[row["model"]][row["tensor_parallel_size"]]
        middle = row["ms_per_squared_token" if row["phase"] == "prefill" else "ms_per_request"]
        large = row["from_requests"] != "1"
        key = "prefill" if row["phase"] == "prefill" else f"decoding_{'large' if large else 'small'}bs"
        assert [float(row["constant_ms"]), float(row["ms_per_token"]), float(middle)] == entry[key]
    source = tmp_path / "odd.json"
    for text in ("[]", "{}", '{"opt": {"1": {"prefill": [1, 2]}}}', "not json"):
        source.write_text(text, encoding="utf-8")
        with pytest.raises(InvalidInput, match="not a DistServe latency profile"):
            run("distserve", source, tmp_path / "more.csv")
