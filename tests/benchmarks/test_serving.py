import csv
from pathlib import Path

import pytest

from benchmarks.serving import COLUMNS, main

ROW = {
    "id": "a_tp4_ep1_1",
    "silicon_data_source": "silicon_concurrency=8",
    "backend": "vllm",
    "model_path": "meta-llama/Llama-3.1-70B",
    "system": "h100_sxm",
    "mode": "agg",
    "isl": "1000",
    "osl": "50",
    "gemm_quant_mode": "fp8",
    "tp_size": "4",
}


def run(tmp_path: Path, ttft: str, tpot: str) -> list[dict[str, str]]:
    measured = {"silicon_ttft_ms": ttft, "silicon_tpot_ms": tpot}
    with (tmp_path / "in.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*ROW, *measured])
        writer.writeheader()
        writer.writerow({**ROW, **measured})
        writer.writerow({**ROW, **measured, "silicon_data_source": "nothing"})
    assert main(["--rows", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    with (tmp_path / "out.csv").open() as file:
        return list(csv.DictReader(file))


def test_predictions_do_not_depend_on_the_measurement(tmp_path: Path) -> None:
    one, two = run(tmp_path, "100", "10"), run(tmp_path, "", "nonsense")
    assert [{c: r[c] for c in COLUMNS} for r in one] == [{c: r[c] for c in COLUMNS} for r in two]
    answered, refused = one
    low, value, high = (float(answered[c]) for c in ("tpot_low", "predicted_tpot_ms", "tpot_high"))
    assert 5 < low < value * 1.3
    assert low < high
    assert answered["silicon_ttft_ms"] == "100"
    assert refused["predicted_tpot_ms"] == ""
    assert "no concurrency" in refused["note"]


def test_missing_rows_are_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", str(tmp_path / "none.csv"), "--out", str(tmp_path / "out.csv")]) == 1
    assert "cannot read the rows" in capsys.readouterr().err
