"""Products of rows, sorted by expert, with each expert's own weights: one kernel where the library has it.

``torch._grouped_mm`` (bf16, torch 2.8 or newer) and ``torch._scaled_grouped_mm`` (fp8, a scale a row and a
column, torch 2.7 or newer), both on Hopper and newer. The rows of an expert lie between the end of the one
before it and its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import Unsupported
from profiler.devices.device import Device

__all__ = ["Product", "grouped_problem", "grouped_product"]

Product = Callable[[Any, Any], Any]
"""(rows ``[n, k]``, weights ``[experts, k, m]``) → ``[n, m]``."""

_tried: dict[tuple[str, str], str] = {}


def grouped_problem(device: Device, dtype: str) -> str:
    """Why there is no grouped product of a format here, empty when there is one; tried once, small."""
    key = (f"{device.library} {device.place}", dtype)
    if key not in _tried:
        _tried[key] = _try(device, dtype)
    return _tried[key]


def _try(device: Device, dtype: str) -> str:
    name = _NAMES.get(dtype, "")
    if device.torch is None or not hasattr(device.torch, name or "?"):
        return f"{device.library} has no grouped products in {dtype}"
    weights = device.random((2, 32, 64), dtype, 1).transpose(1, 2)
    try:
        _grouped(device, dtype, np.array([16, 32]))(device.random((32, 64), dtype, 0), weights)
        if device.kind == "cuda":
            device.torch.cuda.synchronize()
    except Exception as error:  # noqa: BLE001 - a private function of PyTorch: anything may have changed
        device.require_usable()
        return f"torch.{name} failed: {str(error).strip().splitlines()[0] if str(error) else error!r}"
    return ""


_NAMES = {"bf16": "_grouped_mm", "fp8": "_scaled_grouped_mm"}


def grouped_product(device: Device, dtype: str, ends: NDArray[np.int64]) -> tuple[Product, str]:
    """The product for experts whose rows end at int64[experts], and the kernel's name.

    Raises
    ------
    Unsupported
        An fp8 product without a grouped kernel.
    """
    problem = grouped_problem(device, dtype)
    if not problem:
        return _grouped(device, dtype, ends), f"torch.{_NAMES[dtype]}"
    if dtype == "fp8":
        raise Unsupported(problem)
    return _one_by_one(device, ends), "one product an expert"


def _grouped(device: Device, dtype: str, ends: NDArray[np.int64]) -> Product:
    torch: Any = device.torch
    offsets = torch.from_numpy(ends.astype(np.int32)).to(device.place)
    if dtype == "bf16":
        return lambda rows, weights: torch._grouped_mm(rows, weights, offs=offsets)
    ones = {"dtype": torch.float32, "device": device.place}
    scale_rows = torch.ones(int(ends[-1]), **ones)
    scales: dict[int, Any] = {}

    def product(rows: Any, weights: Any) -> Any:
        columns = weights.shape[2]
        if columns not in scales:
            scales[columns] = torch.ones((len(ends), columns), **ones)
        return torch._scaled_grouped_mm(
            rows,
            weights,
            scale_rows,
            scales[columns],
            offs=offsets,
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
        )

    return product


def _one_by_one(device: Device, ends: NDArray[np.int64]) -> Product:
    torch: Any = device.torch
    spans = [(e, int(a), int(b)) for e, (a, b) in enumerate(zip((0, *ends[:-1]), ends, strict=True)) if a < b]

    def product(rows: Any, weights: Any) -> Any:
        shape = (rows.shape[0], weights.shape[2])
        if torch is None:
            out: Any = np.empty(shape, dtype=rows.dtype)
            for expert, a, b in spans:
                np.matmul(rows[a:b], weights[expert], out=out[a:b])
            return out
        out = torch.empty(shape, dtype=rows.dtype, device=rows.device)
        for expert, a, b in spans:
            torch.mm(rows[a:b], weights[expert], out=out[a:b])
        return out

    return product
