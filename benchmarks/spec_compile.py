"""``python -m benchmarks spec-compile``: a large problem from arrays and from a document to the graph.

1,000,000 objects on 10,000 containers with 3 capacities, 3 balances and a spread over racks by default. Every
measurement runs in a process of its own, so that its peak memory is its own; prints one JSON line each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.assignment_cases.fleet import shards
from specs import compile_problem
from specs.document import load_problem

__all__ = ["main"]

_DOCUMENT = """\
kind: AssignmentProblem
objects: {name: replica, count: OBJECTS}
containers: {name: host, count: HOSTS}
assignment: {file: FILE, column: start}
scopes: {rack: {file: HOST_FILE, column: rack}}
partitions: {shard: {file: FILE, column: shard}}
dimensions:
  cpu: {objects: {file: FILE, column: cpu}, containers: {file: HOST_FILE, column: cpu}}
  memory: {objects: {file: FILE, column: memory}, containers: {file: HOST_FILE, column: memory}}
  disk: {objects: {file: FILE, column: disk}, containers: {file: HOST_FILE, column: disk}}
constraints:
  - capacity: {scope: host, dimension: cpu}
  - capacity: {scope: host, dimension: memory}
  - capacity: {scope: host, dimension: disk}
  - group_count: {scope: rack, partition: shard, limit: 1}
goals:
  - - balance: {scope: host, dimension: cpu, formula: squares}
    - balance: {scope: host, dimension: memory, formula: squares}
    - balance: {scope: host, dimension: disk, formula: squares}
    - minimize_movement: {}
"""


def main(arguments: Sequence[str]) -> int:
    """Measure each way; print a line for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks spec-compile", description=__doc__)
    parser.add_argument("--objects", type=int, default=999_999)
    parser.add_argument("--containers", type=int, default=10_000)
    parser.add_argument("--racks", type=int, default=100)
    given = parser.parse_args(arguments)
    size = (given.objects, given.containers, given.racks)
    with tempfile.TemporaryDirectory() as folder:
        for name, measured in (("arrays", _arrays), *((s, _document) for s in ("npz", "parquet", "csv"))):
            print(json.dumps(_in_own_process(measured, size, Path(folder), name)), flush=True)
    return 0


def _in_own_process(measured: Callable[..., Any], *arguments: Any) -> Any:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measured, arguments)


def _arrays(size: tuple[int, ...], folder: Path, name: str) -> dict[str, Any]:
    del folder
    problem = shards(1, size)
    before = _peak()
    started = time.perf_counter()
    graph = compile_problem(problem)
    return _line(name, size, time.perf_counter() - started, len(graph.nodes), {"peak_before_bytes": before})


def _document(size: tuple[int, ...], folder: Path, name: str) -> dict[str, Any]:
    _write(size, folder, name)
    text = _DOCUMENT.replace("HOST_FILE", f"hosts.{name}").replace("FILE", f"replicas.{name}")
    text = text.replace("OBJECTS", str(size[0] // 3 * 3)).replace("HOSTS", str(size[1]))
    path = folder / "problem.yaml"
    path.write_text(text, encoding="utf-8")
    started = time.perf_counter()
    document = load_problem(path)
    load_s = time.perf_counter() - started
    graph = document.compile()
    return _line(
        name, size, time.perf_counter() - started, len(graph.nodes), {"load_seconds": round(load_s, 3)}
    )


def _write(size: tuple[int, ...], folder: Path, name: str) -> None:
    import pyarrow as pa
    from pyarrow import csv, parquet

    problem = shards(1, size)
    names = ("cpu", "memory", "disk")
    tables = {
        "replicas": {
            "start": problem.space.initial,
            "shard": problem.partition("shard").single,
            **{d: np.asarray(problem.dimensions[d].objects) for d in names},
        },
        "hosts": {
            "rack": problem.scope("rack").single[:-1],
            **{d: np.asarray(problem.dimensions[d].containers) for d in names},
        },
    }
    for stem, columns in tables.items():
        path = folder / f"{stem}.{name}"
        if name == "npz":
            np.savez(path, **columns)  # type: ignore[arg-type]
        elif name == "csv":
            csv.write_csv(pa.table(columns), path)
        else:
            parquet.write_table(pa.table(columns), path)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _line(
    name: str, size: tuple[int, ...], seconds: float, nodes: int, more: dict[str, Any]
) -> dict[str, Any]:
    return {"from": name, "size": list(size), "seconds": round(seconds, 3), "nodes": nodes, **more,
            "peak_rss_bytes": _peak()}  # fmt: skip
