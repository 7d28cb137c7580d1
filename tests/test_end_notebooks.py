"""The example notebooks run from the first cell to the last, and were committed with what they printed."""

from __future__ import annotations

from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples" / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the kernel's own
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_notebook_runs_and_shows_what_it_showed(path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    pytest.importorskip("pandas", reason="pandas is not installed")
    monkeypatch.setenv("PYTHONPATH", str(path.parents[2]))
    committed = nbformat.read(path, as_version=4)
    again = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(again, timeout=240, resources=resources).execute()
    for before, after in zip(committed.cells, again.cells, strict=True):
        if before.cell_type == "code":
            assert kinds(before) == kinds(after)
            assert kinds(before)


def kinds(cell):
    """What a cell showed, without the figures, which change with the models."""
    return [tuple(sorted(output.get("data", {"text": 0}))) for output in cell.outputs]


def test_there_are_three():
    assert len(NOTEBOOKS) >= 3
