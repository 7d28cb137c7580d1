import json
from pathlib import Path

from benchmarks.accuracy import ROOT, main


def test_the_document_is_what_the_results_make_of_it(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path / "accuracy.md")]) == 0
    assert (tmp_path / "accuracy.md").read_text() == (ROOT / "docs/accuracy.md").read_text()


def test_sections_without_results_are_left_out(tmp_path: Path) -> None:
    results = json.loads((ROOT / "benchmarks/results/serving.json").read_text())
    (tmp_path / "serving.json").write_text(json.dumps(results))
    assert main(["--results", str(tmp_path), "--out", str(tmp_path / "out.md")]) == 0
    text = (tmp_path / "out.md").read_text()
    assert "## By engine" in text
    assert "Operator tables" not in text
    assert "AIConfigurator on the same rows" not in text
