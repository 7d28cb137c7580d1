"""Vidur's network tables (https://github.com/microsoft/vidur, data/profiling/network, MIT): all-reduce.

CSV with a row for each buffer size, GPUs taking part and GPUs of a node; times are ms. Rows whose GPUs are
all of one node are ``nvlink``, others ``network``.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np

from models.errors import InvalidInput
from models.hardware import gpu
from models.profiles.importers.registry import Importer, ImportRequest
from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.store import write_profile
from models.profiles.table import OperationTable

__all__ = ["IMPORTER", "read_all_reduce"]

TIME = "time_stats.all_reduce.median"
COLUMNS = (TIME, "num_workers", "size", "collective", "devices_per_node")
LIBRARY = "nccl-vidur-2024"


def read_all_reduce(path: Path) -> OperationTable:
    """The table in a file; repeats of a size are one point, their median.

    Raises
    ------
    InvalidInput
        The file cannot be read, or a row is not one of them; the error names the line.
    """
    source = str(path)
    found: dict[tuple[int, str, int], list[float]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise InvalidInput(f"columns missing: {', '.join(missing)}", source=source, line=1)
            for row in rows:
                line = rows.line_num
                if row["collective"] != "all_reduce":
                    raise InvalidInput(f"unknown collective {row['collective']!r}", source=source, line=line)
                try:
                    gpus, of_node = int(row["num_workers"]), int(row["devices_per_node"])
                    size, time_ms = int(row["size"]), float(row[TIME])
                except (TypeError, ValueError) as error:
                    raise InvalidInput(f"not a measurement: {error}", source=source, line=line) from None
                found[gpus, "nvlink" if of_node >= gpus else "network", size].append(time_ms * 1e3)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"cannot read the table: {error}", source=source) from None
    # the clock ticks in µs: what took less than one tick says nothing
    points = [(*key, median(times)) for key, times in sorted(found.items()) if median(times) > 0]
    if not points:
        raise InvalidInput("the table has no row", source=source)
    gpus_column, links, sizes, latency = zip(*points, strict=True)
    return OperationTable.build(
        "all_reduce",
        {
            "library": np.full(len(points), LIBRARY),
            "dtype": np.full(len(points), "fp16"),
            "mode": np.full(len(points), "eager"),
            "link": np.array(links),
            "num_gpus": np.array(gpus_column),
            "size_bytes": np.array(sizes),
            "latency_us": np.array(latency),
        },
    )


def _run(request: ImportRequest) -> list[str]:
    item = gpu(request.options["gpu"])
    table = read_all_reduce(request.source)
    manifest = Manifest(
        name=item.name,
        gpu=item.name,
        device=DeviceInfo(name=item.name, kind="cuda", memory_bytes=item.memory_bytes),
        created="2024-04-01",
        basis="imported",
        source=f"Vidur (Microsoft), data/profiling/network, {request.source.name}",
        licence="MIT",
        libraries={"nccl": "of 2024"},
        details={"repeats": "median of those of a size", "link": "nvlink where all GPUs are of one node"},
    )
    written = write_profile(request.out, manifest, {"all_reduce": table}, replace_existing=request.replace)
    return [f"{name}: {entry.rows} points" for name, entry in written.tables.items()]


IMPORTER = Importer(
    name="vidur-network",
    result="profile",
    summary="an all_reduce.csv of Vidur",
    options=("gpu",),
    run=_run,
)
