"""Comparing a measured profile with public tables: ratios, bands, and what asks for an explanation."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.profiler_gpu import compare
from models.profiles.catalogue import PACKAGED
from models.profiles.store import Profile, read_profile
from models.profiles.table import OperationTable


def rows(factor: float) -> OperationTable:
    """Rows of the shipped H200 products, `factor` times as slow, as if PyTorch had run them."""
    table = read_profile(PACKAGED / "h200-sxm-141gb").table("gemm").where(library="vllm-0.24.0", dtype="bf16")
    few = table.take(np.arange(0, len(table), max(1, len(table) // 400), dtype=np.int64))
    columns: dict[str, object] = {k.name: few[k.name] for k in few.schema.keys}
    columns |= {"library": "torch-2.11.0", "latency_us": few.value * factor}
    return OperationTable.build("gemm", columns)


@pytest.mark.parametrize(("factor", "differs"), [(1.0, False), (1.1, False), (1.3, True), (0.8, True)])
def test_a_constant_factor_is_found_in_every_band(factor: float, differs: bool) -> None:
    public = read_profile(PACKAGED / "h200-sxm-141gb")
    measured = Profile(replace(public.manifest, tables={}), None, {"gemm": rows(factor)})
    only = [c for c in compare(measured, public, "vllm-0.24.0") if c.operation == "gemm"]

    assert len(only) >= 3
    assert sum(c.points for c in only) >= 300
    for band in only:
        assert band.median == pytest.approx(1 / factor, rel=1e-6)
        assert band.differs == differs


def test_what_the_public_tables_lack_is_left_out() -> None:
    fp32 = OperationTable.build(
        "gemm",
        {
            "library": "torch-2.11.0",
            "dtype": "fp32",
            "m": [1.0, 2.0],
            "n": 64.0,
            "k": 64.0,
            "latency_us": 1.0,
        },
    )
    public = read_profile(PACKAGED / "h200-sxm-141gb")

    assert (
        compare(Profile(replace(public.manifest, tables={}), None, {"gemm": fp32}), public, "vllm-0.24.0")
        == []
    )
