"""`specs.document.columns`: numbers and names in files beside the document."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from models.document import InvalidDocument
from specs.document import load_problem

N = 50
DOCUMENT = """\
kind: AssignmentProblem
objects: {name: task, ids: {file: FILE, column: id}}
containers: {name: host, ids: [h0, h1, h2]}
assignment: {file: FILE, column: start}
partitions: {job: {file: FILE, column: job}}
dimensions:
  cpu: {objects: {file: FILE, column: cpu}, containers: 100}
  local:
    objects: 1
    by_item: {scope: host, columns: {file: FILE, items: where, objects: id, values: cpu}}
"""


def columns():
    rng = np.random.default_rng(0)
    return {
        "id": np.array([f"t{i}" for i in range(N)]),
        "start": rng.integers(-1, 3, N),
        "job": np.array([f"j{i % 4}" if i % 5 else "" for i in range(N)]),
        "cpu": rng.random(N),
        "where": np.array([f"h{i % 3}" for i in range(N)]),
    }


def write(folder, name):
    table = columns()
    if name.endswith(".npz"):
        np.savez(folder / name, **table)
    elif name.endswith(".csv"):
        csv.write_csv(pa.table(table), folder / name)
    else:
        parquet.write_table(pa.table(table), folder / name)
    document = folder / "problem.yaml"
    document.write_text(DOCUMENT.replace("FILE", name))
    return document


@pytest.mark.parametrize("name", ["data.npz", "data.csv", "data.parquet"])
def test_columns_become_the_problem(tmp_path, name):
    problem = load_problem(write(tmp_path, name)).problem
    expected = columns()

    assert list(problem.objects.labels) == expected["id"].tolist()
    assert problem.space.initial.tolist() == expected["start"].tolist()
    assert problem.weights("cpu").values[:, 0] == pytest.approx(expected["cpu"])
    assert problem.groups("job").labels == ["j0", "j1", "j2", "j3"]
    assert (problem.partition("job").single < 0).tolist() == (expected["job"] == "").tolist()
    local = problem.weights("local").at(np.arange(N), np.arange(N) % 3)[:, 0]
    assert local == pytest.approx(expected["cpu"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("column: cpu", "column: cup", "did you mean 'cpu'"),
        ("file: data.npz, column: cpu", "file: date.npz, column: cpu", "there is no file 'date.npz'"),
        ("file: data.npz, column: cpu", "file: problem.yaml, column: cpu", "end in .npz, .csv or .parquet"),
        ("column: start", "column: cpu", "one whole number for each"),
        ("column: job", "column: cpu", "expected whole numbers or names"),
        ("items: where", "items: job", "unknown host"),
    ],
)
def test_wrong_references_have_line_and_reason(tmp_path, old, new, message):
    document = write(tmp_path, "data.npz")
    document.write_text(document.read_text().replace(old, new))
    with pytest.raises(InvalidDocument, match=message) as caught:
        load_problem(document)
    assert caught.value.line is not None


def test_missing_numbers_are_refused(tmp_path):
    document = write(tmp_path, "data.npz")
    np.savez(tmp_path / "data.npz", **(columns() | {"cpu": np.full(N, np.nan)}))
    with pytest.raises(InvalidDocument, match="missing or infinite"):
        load_problem(document)
