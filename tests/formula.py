"""Profiles of a device whose times follow a formula: 5 µs, 0.1 ns a kilo-operation, 1 ns a hundred bytes."""

import itertools
from pathlib import Path

import numpy as np

from models.profiles.manifest import DeviceInfo, Manifest
from models.profiles.schema import operation
from models.profiles.store import Profile, read_profile, write_profile
from models.profiles.table import OperationTable

FIXED_US, US_PER_FLOP, US_PER_BYTE = 5.0, 1e-4 / 1e3, 1e-3 / 1e2
HEADS = {"num_heads": 4.0, "num_kv_heads": 2.0, "head_dim": 64.0, "value_dim": 64.0, "window_size": 0.0}


def by_formula(name: str, labels: dict[str, str], axes: dict[str, list[float]]) -> OperationTable:
    """Every combination of the axes, at the time the formula gives."""
    rows = np.array(list(itertools.product(*axes.values()))).T
    columns: dict[str, object] = {**labels, **dict(zip(axes, rows, strict=True))}
    work = operation(name).work
    assert work is not None
    full = {k: np.broadcast_to(np.asarray(v), rows.shape[1:]) for k, v in columns.items()}
    flop, traffic = work(full)
    return OperationTable.build(
        name, columns | {"latency_us": FIXED_US + flop * US_PER_FLOP + traffic * US_PER_BYTE}
    )


def write_formula_profile(
    root: Path, name: str = "formula-box", *, kind: str = "cpu", gpu: str = "", dtype: str = "fp32",
    library: str = "numpy-2.0", basis: str = "measured", without: tuple[str, ...] = (),
) -> Profile:  # fmt: skip
    """Write such a profile under `root` and open it."""
    own = {"library": library}
    heads = {k: [v] for k, v in HEADS.items()}
    formats = own | {"dtype": dtype, "kv_dtype": dtype}
    tables = {
        "gemm": by_formula(
            "gemm",
            own | {"dtype": dtype},
            {"m": [1, 8, 64, 512], "n": [256, 1024, 4096], "k": [256, 1024]},
        ),
        "attention_prefill": by_formula(
            "attention_prefill",
            formats,
            {"batch_size": [1], "query_len": [16, 64, 256], "prefix_len": [0], **heads},
        ),
        "attention_decode": by_formula(
            "attention_decode",
            formats,
            {"batch_size": [1, 4, 16], "query_len": [1], "kv_len": [16, 128, 1024], **heads},
        ),
        "hbm": by_formula("hbm", own | {"access": "read"}, {"size_bytes": [2**20, 2**24, 2**28]}),
    }
    manifest = Manifest(
        name=name, gpu=gpu, created="2026-11-20", basis=basis, source="a formula",
        licence="Apache-2.0", device=DeviceInfo(name="Formula 1", kind=kind, memory_bytes=16 * 10**9),
    )  # type: ignore[arg-type]  # fmt: skip
    folder = root / name
    write_profile(folder, manifest, {k: t for k, t in tables.items() if k not in without})
    return read_profile(folder)
