import os
from pathlib import Path

import pytest

from models.errors import InvalidInput
from models.workload import read_azure_trace

HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
DATA = Path(os.environ.get("FULCRUM_DATA", Path(__file__).parents[3].parent / "shared" / "data"))


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    return path


def test_reads_sorts_and_starts_at_zero(tmp_path: Path) -> None:
    rows = "2023-11-16 18:17:04.5000000,20,2\n2023-11-16 18:17:03.2500000,10,1\n\n2023-11-16 18:18:03,30,3"
    trace = read_azure_trace(write(tmp_path, HEADER + rows))
    assert trace.arrivals_s.tolist() == pytest.approx([0.0, 1.25, 59.75])
    assert trace.input_tokens.tolist() == [10, 20, 30]
    assert trace.output_tokens.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("", 1, "empty"),
        ("time,in,out\n", 1, "the header must be TIMESTAMP"),
        (HEADER, 1, "no request"),
        (HEADER + "2023-11-16 18:17:03,1\n", 2, "expected 3 fields, got 2"),
        (HEADER + "2023-11-16 18:17:03,1,1\nyesterday,1,1\n", 3, "TIMESTAMP must look like"),
        (HEADER + "2023-11-16 18:17:03,-4,1\n", 2, "ContextTokens must be at least 1, got -4"),
        (HEADER + "2023-11-16 18:17:03,1,nan\n", 2, "GeneratedTokens must be a whole number, got 'nan'"),
    ],
)
def test_errors_carry_file_and_line(tmp_path: Path, text: str, where: int, message: str) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        read_azure_trace(write(tmp_path, text))
    assert str(caught.value).startswith(f"{tmp_path}/trace.csv:{where}: ")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read the trace"):
        read_azure_trace(tmp_path / "no.csv")


@pytest.mark.parametrize(("file", "requests", "mean_input"), [("conv", 19_366, 1155), ("code", 8_819, 2048)])
def test_published_traces(file: str, requests: int, mean_input: float) -> None:
    path = DATA / "traces" / f"azure_llm_2023_{file}.csv"
    if not path.exists():
        pytest.skip(f"needs {path.name}, see FULCRUM_DATA")
    trace = read_azure_trace(path)
    assert len(trace) == requests
    assert trace.input_tokens.mean() == pytest.approx(mean_input, abs=0.5)
    assert 3400 < trace.duration_s < 3600
