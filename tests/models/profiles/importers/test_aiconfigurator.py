from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import Unavailable, UnknownName
from models.profiles.catalogue import find_profile
from models.profiles.importers.aiconfigurator import SYSTEMS, import_system, main


def write(
    folder: Path, family: str, engine: str, version: str, name: str, rows: list[dict[str, Any]]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / "data" / "h100_sxm" / family / engine / version / f"{name}_perf.parquet"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        pq.write_table(pa.Table.from_pylist(rows), file)


def gemm(m: int, n: int, k: int, latency: float, dtype: str = "bfloat16") -> dict[str, Any]:
    return {
        "device": "NVIDIA H100 80GB HBM3",
        "kernel_source": "x",
        "gemm_dtype": dtype,
        "m": m,
        "n": n,
        "k": k,
        "latency": latency,
    }


@pytest.fixture
def systems(tmp_path: Path) -> Path:
    folder = tmp_path / "aiconfigurator_core" / "systems"
    (tmp_path / "aiconfigurator_core-0.12.0.dist-info").mkdir(parents=True)
    rows = [
        gemm(1, 128, 256, 0.010),
        gemm(1, 128, 256, 0.008),  # measured twice: the faster one is kept
        gemm(3, 128, 256, 0.011),  # not among the kept row counts
        gemm(1, 64, 256, 0.007),  # too narrow
        gemm(1, 128, 256, 0.006, "int8_wo"),  # a format no kernel is left for
        gemm(1, 128, 256, 0.005, "fp8"),
    ]
    write(folder, "gemm", "vllm", "0.24.0", "gemm", rows)
    # of several versions the wanted one, else the newest older one: rc20 is wanted, rc9 < rc10
    write(folder, "gemm", "trtllm", "1.3.0rc9", "gemm", [gemm(1, 128, 256, 0.1)])
    write(folder, "gemm", "trtllm", "1.3.0rc10", "gemm", [gemm(1, 128, 256, 0.2)])
    write(folder, "gemm", "trtllm", "1.3.0rc30", "gemm", [gemm(1, 128, 256, 0.3)])
    parts = [
        {
            "phase": "generation",
            "batch_size": 4,
            "seq_len": 1,
            "num_k_heads": 4,
            "num_v_heads": 8,
            "kernel_source": k,
        }
        for k in ("conv", "recurrent")
    ]
    for part, latency in zip(parts, (0.002, 0.005), strict=True):
        part.update(device="x", head_k_dim=128, head_v_dim=128, latency=latency)
    write(folder, "linear_attention", "sglang", "0.5.14", "gdn", parts)
    reduce = [
        {
            "op_name": op,
            "nccl_dtype": "half",
            "num_gpus": 2,
            "message_size": 1024,
            "latency": 0.01,
            "device": "x",
        }
        for op in ("all_reduce", "all_gather", "reduce_scatter", "alltoall")
    ]
    write(folder, "comm", "nccl", "2.29.2", "nccl", reduce)
    return folder


def test_rows_versions_and_units(systems: Path) -> None:
    manifest, tables = import_system(systems, "h100_sxm")
    table = tables["gemm"]
    found = {
        (str(library), str(dtype)): latency
        for library, dtype, latency in zip(table["library"], table["dtype"], table.value, strict=True)
    }
    assert found == {
        ("vllm-0.24.0", "bf16"): pytest.approx(8.0, rel=1e-3),
        ("vllm-0.24.0", "fp8"): pytest.approx(5.0, rel=1e-3),
        ("tensorrt-llm-1.3.0rc10", "bf16"): pytest.approx(200.0, rel=1e-3),
    }
    assert manifest.basis == "imported"
    assert manifest.licence == "Apache-2.0"
    assert "0.12.0" in manifest.source
    assert manifest.libraries["tensorrt-llm"] == "1.3.0rc10"


def test_kernels_of_one_operation_are_added(systems: Path) -> None:
    _, tables = import_system(systems, "h100_sxm")
    assert tables["linear_attention"].value.tolist() == pytest.approx([7.0], rel=1e-3)


def test_collectives_go_to_their_tables(systems: Path) -> None:
    _, tables = import_system(systems, "h100_sxm")
    for name in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all"):
        assert tables[name].labels("link") == ("nvlink",)


def test_command_writes_a_readable_profile(systems: Path, tmp_path: Path) -> None:
    out = tmp_path / "profile"
    assert main([str(systems), "--system", "h100_sxm", "--out", str(out)]) == 0
    assert find_profile(out).manifest.gpu == "h100-sxm-80gb"
    assert main([str(systems), "--system", "h100_sxm", "--out", str(out)]) == 1  # exists


def test_unknown_and_absent_systems(systems: Path) -> None:
    with pytest.raises(UnknownName, match="did you mean 'h100_sxm'"):
        import_system(systems, "h100-sxm")
    with pytest.raises(Unavailable, match="unpack the wheel"):
        import_system(systems, "b200_sxm")


@pytest.mark.parametrize("name", sorted(SYSTEMS.values()))
def test_packaged_profiles_are_whole_and_small(name: str) -> None:
    profile = find_profile(name)
    assert profile.manifest.basis == "imported"
    assert {"gemm", "attention_prefill", "attention_decode", "moe", "all_reduce"} <= set(profile.operations)
    size = sum(f.stat().st_size for f in profile.folder.iterdir())
    assert size < 1_200_000
    table = profile.table("gemm")  # checks its checksum
    assert np.isfinite(table.value).all()
