"""Attention kernels that may be installed, and which is fastest here.

FlashAttention, FlashInfer and the back-ends of PyTorch's own `scaled_dot_product_attention` (cuDNN,
FlashAttention, the memory-efficient one) differ by tens of percent between devices and shapes. One
typical call of each kind is raced once a run, and the winner is named in the profile.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from models.errors import Unsupported
from profiler.devices.device import Device
from profiler.job import Job
from profiler.timing import Effort

__all__ = ["AttentionShape", "KernelChoice", "candidates", "supported_windows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionShape:
    """One call: the last `query_len` of `kv_len` tokens ask; `window` 0 = all earlier tokens are seen."""

    batch_size: int
    query_len: int
    kv_len: int
    heads: int
    kv_heads: int
    head_dim: int
    window: int = 0


Build = Callable[[AttentionShape, Device, str, int], Callable[[], object]]

_RACE = Effort(samples=5, fewest=3, seconds=0.1, warmup_seconds=0.002)


class KernelChoice:
    """Races the kernels once for each number format and kind of call (decode, prompt, prefix; window)."""

    def __init__(self) -> None:
        self._chosen: dict[tuple[str, str, str, bool], tuple[str, Build]] = {}

    def best(self, device: Device, shape: AttentionShape, dtype: str) -> tuple[str, Build]:
        """Name and builder of the fastest kernel for this kind of call; raises `Unsupported` when none
        can.
        """
        phase = "decode" if shape.query_len == 1 else "prefix" if shape.kv_len > shape.query_len else "prompt"
        key = (device.library, dtype, phase, shape.window > 0)
        if key not in self._chosen:
            typical = _typical(shape, phase) if device.kind == "cuda" else shape
            raced = []
            problems = []
            for name, build in candidates(device, shape):
                try:
                    call = build(typical, device, dtype, 0)
                    raced.append(
                        (float(np.median(device.time(Job(calls=(call,), kernel=name), _RACE))), name, build)
                    )
                except (RuntimeError, ImportError, TypeError, ValueError, Unsupported) as error:
                    problems.append(
                        f"{name}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
                    )
            if not raced:
                why = "; ".join(problems) or "install flash-attn or flashinfer"
                kind = "windowed attention" if shape.window else "attention"
                raise Unsupported(f"no kernel installed does {kind} in {dtype} ({why})")
            _, name, build = min(raced, key=lambda r: r[0])
            self._chosen[key] = (name, build)
        return self._chosen[key]


def _typical(shape: AttentionShape, phase: str) -> AttentionShape:
    """A call of the same kind that is large enough for the kernels to differ."""
    if phase == "decode":
        return replace(shape, batch_size=32, kv_len=4096)
    return replace(shape, batch_size=1, query_len=2048, kv_len=2048 if phase == "prompt" else 6144)


def supported_windows(
    device: Device, shapes: tuple[tuple[int, int, int, int], ...]
) -> tuple[tuple[tuple[int, int, int, int], ...], str]:
    """The (heads, key-value heads, head size, window) shapes with a kernel here, and why others have none."""
    probe = AttentionShape(batch_size=1, query_len=8, kv_len=8, heads=1, kv_heads=1, head_dim=64, window=4)
    if device.torch is None or next(candidates(device, probe), None) is not None:
        return shapes, ""
    kept = tuple(s for s in shapes if s[3] == 0)
    return kept, "" if len(kept) == len(shapes) else "no kernel for it is installed; flash-attn has one"


def candidates(device: Device, shape: AttentionShape) -> Iterator[tuple[str, Build]]:
    """Kernels that could run this kind of call on this device."""
    if device.kind == "cuda":
        for module in ("flash_attn_interface", "flash_attn"):  # FlashAttention 3, then 2
            if importlib.util.find_spec(module):
                yield _versioned(module), _flash_attention(module)
        if importlib.util.find_spec("flashinfer") and shape.batch_size == 1:
            yield _versioned("flashinfer"), _flashinfer
    if shape.window == 0:
        backends = ("CUDNN_ATTENTION", "FLASH_ATTENTION", "EFFICIENT_ATTENTION")
        for backend in backends if device.kind == "cuda" else ("FLASH_ATTENTION", "MATH"):
            yield f"torch SDPA {backend}", _sdpa(backend)


def _versioned(module: str) -> str:
    return f"{module}-{getattr(importlib.import_module(module), '__version__', 'unknown')}"


def _heads_first(shape: AttentionShape, device: Device, dtype: str, seed: int) -> tuple[Any, Any, Any]:
    s = shape
    q = device.random((s.batch_size, s.heads, s.query_len, s.head_dim), dtype, seed)
    k = device.random((s.batch_size, s.kv_heads, s.kv_len, s.head_dim), dtype, seed + 1)
    v = device.random((s.batch_size, s.kv_heads, s.kv_len, s.head_dim), dtype, seed + 2)
    return q, k, v


def _tokens_first(shape: AttentionShape, device: Device, dtype: str, seed: int) -> tuple[Any, Any, Any]:
    s = shape
    q = device.random((s.batch_size, s.query_len, s.heads, s.head_dim), dtype, seed)
    k = device.random((s.batch_size, s.kv_len, s.kv_heads, s.head_dim), dtype, seed + 1)
    v = device.random((s.batch_size, s.kv_len, s.kv_heads, s.head_dim), dtype, seed + 2)
    return q, k, v


def _sdpa(backend: str) -> Build:
    def build(shape: AttentionShape, device: Device, dtype: str, seed: int) -> Callable[[], object]:
        torch: Any = device.torch
        attention = importlib.import_module("torch.nn.attention")
        chosen = getattr(attention.SDPBackend, backend)
        q, k, v = _heads_first(shape, device, dtype, seed)
        options: dict[str, Any] = {"enable_gqa": shape.heads != shape.kv_heads}
        if shape.query_len > 1:
            if shape.kv_len == shape.query_len:
                options["is_causal"] = True
            else:  # queries are the last tokens, not the first
                bias = importlib.import_module("torch.nn.attention.bias")
                options["attn_mask"] = bias.causal_lower_right(shape.query_len, shape.kv_len)
        functional = torch.nn.functional

        def run() -> Any:
            with attention.sdpa_kernel(chosen):
                return functional.scaled_dot_product_attention(q, k, v, **options)

        return run

    return build


def _flash_attention(module: str) -> Build:
    def build(shape: AttentionShape, device: Device, dtype: str, seed: int) -> Callable[[], object]:
        flash: Any = importlib.import_module(module)
        q, k, v = _tokens_first(shape, device, dtype, seed)
        window = (shape.window - 1, 0) if shape.window else (-1, -1)
        if shape.query_len == 1:
            lengths = device.torch.full(
                (shape.batch_size,), shape.kv_len, dtype=device.torch.int32, device=device.place
            )
            return lambda: flash.flash_attn_with_kvcache(
                q, k, v, cache_seqlens=lengths, causal=True, window_size=window
            )
        return lambda: flash.flash_attn_func(q, k, v, causal=True, window_size=window)

    return build


def _flashinfer(shape: AttentionShape, device: Device, dtype: str, seed: int) -> Callable[[], object]:
    flashinfer: Any = importlib.import_module("flashinfer")
    q, k, v = (t[0] for t in _tokens_first(shape, device, dtype, seed))
    window = shape.window - 1 if shape.window else -1
    if shape.query_len == 1:
        return lambda: flashinfer.single_decode_with_kv_cache(q[0], k, v, window_left=window)
    return lambda: flashinfer.single_prefill_with_kv_cache(q, k, v, causal=True, window_left=window)
