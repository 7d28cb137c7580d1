import os
from pathlib import Path

import pytest

from models.workload import load_lengths, read_azure_trace
from models.workload.tabulate import main, table

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("FULCRUM_DATA", ROOT.parent / "shared" / "data"))


@pytest.mark.parametrize("name", ["conv", "code"])
def test_example_tables_are_what_the_command_makes_of_the_traces(name: str) -> None:
    trace_path = DATA / "traces" / f"azure_llm_2023_{name}.csv"
    if not trace_path.exists():
        pytest.skip(f"needs {trace_path.name}, see FULCRUM_DATA")
    example = ROOT / "examples" / f"azure_2023_{name}.yaml"
    made = table(
        trace_path,
        repository="https://github.com/Azure/AzurePublicDataset",
        file=f"data/AzureLLMInferenceTrace_{name}.csv",
        licence="CC-BY-4.0",
    )
    assert example.read_text() == made
    lengths, trace = load_lengths(example), read_azure_trace(trace_path)
    assert lengths.mean_input_tokens == pytest.approx(trace.input_tokens.mean(), rel=0.01)
    assert lengths.mean_output_tokens == pytest.approx(trace.output_tokens.mean(), rel=0.02)


def test_command_writes_a_table_and_reports_a_missing_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "t.csv"
    trace.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,9,4\n2023-11-16 18:17:04,11,6\n"
    )
    assert main([str(trace), "--out", str(tmp_path / "t.yaml"), "--licence", "MIT"]) == 0
    assert load_lengths(tmp_path / "t.yaml").mean_input_tokens == pytest.approx(10, rel=1e-3)
    assert main([str(tmp_path / "none.csv"), "--out", str(tmp_path / "t.yaml")]) == 1
    assert "cannot read the trace" in capsys.readouterr().err
