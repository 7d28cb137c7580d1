"""Importing PyTorch, and random tensors of every format."""

from __future__ import annotations

import importlib
from typing import Any

from models.errors import Unavailable, Unsupported

__all__ = ["import_torch", "random_tensor", "torch_dtype"]

_NAMES = {
    "fp32": "float32",
    "bf16": "bfloat16",
    "fp16": "float16",
    "fp8": "float8_e4m3fn",
    "int8": "int8",
}


def import_torch() -> Any:
    """The torch module; raises `Unavailable` with how to install it."""
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise Unavailable(
            f"PyTorch is not installed ({error}); `pip install 'fulcrum-planner[cuda]'`, or measure with "
            "`--device cpu:numpy`"
        ) from error


def torch_dtype(torch: Any, dtype: str) -> Any:
    """The torch type of a format; raises `Unsupported` for one this PyTorch does not have."""
    found = getattr(torch, _NAMES.get(dtype, ""), None)
    if found is None:
        raise Unsupported(f"PyTorch {torch.__version__} has no tensors of {dtype}")
    return found


def random_tensor(torch: Any, shape: tuple[int, ...], dtype: str, place: str, seed: int) -> Any:
    """Normal numbers (integers over the full range for int8) of a format, on a device."""
    kind = torch_dtype(torch, dtype)
    generator = torch.Generator(device=place).manual_seed(seed)
    if dtype == "int8":
        return torch.randint(-128, 128, shape, dtype=kind, device=place, generator=generator)
    if dtype == "fp8":
        wide = torch.randn(shape, dtype=torch.bfloat16, device=place, generator=generator)
        return wide.to(kind)
    return torch.randn(shape, dtype=kind, device=place, generator=generator)
