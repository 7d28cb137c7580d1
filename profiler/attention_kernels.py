"""Attention kernels that may be installed, and which is fastest here.

FlashAttention, FlashInfer and the back-ends of PyTorch's own `scaled_dot_product_attention` (cuDNN,
FlashAttention, the memory-efficient one) differ by tens of percent between devices and shapes. One
typical call of each kind is raced once a run, and the winner is named in the profile.

Written against torch 2.5 to 2.13, flash-attn 2.5 or newer, FlashAttention 3 (``flash_attn_interface``)
and flashinfer 0.2.1 or newer.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from models.errors import Unsupported
from profiler.devices.device import Device
from profiler.job import Job
from profiler.numpy_attention import numpy_attention
from profiler.paged_attention import flashinfer_decode, flashinfer_prefill
from profiler.timing import Effort

__all__ = [
    "Attend",
    "AttentionShape",
    "Kernel",
    "KernelChoice",
    "candidates",
    "fp8_cache_problem",
    "supported_windows",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionShape:
    """One call: the last `query_len` of `kv_len` tokens ask; `window` 0 = all earlier tokens are seen.

    Parameters
    ----------
    dtype, kv_dtype
        Number formats of queries, and of keys and values; `kv_dtype` "" = that of the queries.
    """

    batch_size: int
    query_len: int
    kv_len: int
    heads: int
    kv_heads: int
    head_dim: int
    window: int = 0
    dtype: str = "bf16"
    kv_dtype: str = ""


Attend = Callable[[Any, Any, Any], Any]
"""(queries, keys, values) → output, in the kernel's order of axes."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel, to be bound to a shape.

    Parameters
    ----------
    tokens_first
        Whether it takes ``[batch, tokens, heads, size]``; else ``[batch, heads, tokens, size]``.
    bind
        (shape, device) → the call; plans and scratch space are made here, once.
    """

    name: str
    tokens_first: bool
    bind: Callable[[AttentionShape, Device], Attend]

    def query(self, shape: AttentionShape, device: Device, seed: int) -> Any:
        """Random queries."""
        return self._draw(shape, device, (shape.query_len, shape.heads), shape.dtype, seed)

    def cache(self, shape: AttentionShape, device: Device, seed: int) -> tuple[Any, Any]:
        """Random keys and values."""
        form, size = shape.kv_dtype or shape.dtype, (shape.kv_len, shape.kv_heads)
        return (
            self._draw(shape, device, size, form, seed + 1),
            self._draw(shape, device, size, form, seed + 2),
        )

    def _draw(self, s: AttentionShape, device: Device, size: tuple[int, int], dtype: str, seed: int) -> Any:
        axes = size if self.tokens_first else size[::-1]
        return device.random((s.batch_size, *axes, s.head_dim), dtype, seed)

    def calls(
        self, shape: AttentionShape, device: Device, seed: int, copies: int
    ) -> tuple[Callable[[], object], ...]:
        """The same call over `copies` caches. The queries are one tensor: a model has just computed them."""
        attend, query = self.bind(shape, device), self.query(shape, device, seed)
        caches = [self.cache(shape, device, seed + 10 * turn) for turn in range(copies)]
        return tuple(partial(attend, query, *pair) for pair in caches)


_RACE = Effort(samples=5, fewest=3, seconds=0.1, warmup_seconds=0.002)


class KernelChoice:
    """Races the kernels once for each number format and kind of call (decode, prompt, prefix; window)."""

    def __init__(self) -> None:
        self._chosen: dict[tuple[str, str, str, str, bool], Kernel] = {}

    def best(self, device: Device, shape: AttentionShape) -> Kernel:
        """The fastest kernel for this kind of call; raises `Unsupported` when none can."""
        phase = "decode" if shape.query_len == 1 else "prefix" if shape.kv_len > shape.query_len else "prompt"
        key = (device.library, shape.dtype, shape.kv_dtype, phase, shape.window > 0)
        if key not in self._chosen:
            typical = _typical(shape, phase) if device.kind == "cuda" else shape
            raced, problems = [], []
            offered = list(candidates(device, shape))
            for kernel in offered:
                if len(offered) == 1:
                    raced.append((0.0, kernel))
                    break
                try:
                    job = Job(calls=kernel.calls(typical, device, 0, 1), kernel=kernel.name)
                    raced.append((float(np.median(device.time(job, _RACE))), kernel))
                # Packages that do not fit each other fail in every way there is; another kernel may work.
                except Exception as error:  # noqa: BLE001
                    device.require_usable()
                    said = str(error).splitlines()[0] if str(error) else type(error).__name__
                    problems.append(f"{kernel.name}: {said}")
            if not raced:
                why = "; ".join(problems) or "install flash-attn or flashinfer"
                kind = "windowed attention" if shape.window else "attention"
                cache = f" over {shape.kv_dtype} keys" if shape.kv_dtype not in {"", shape.dtype} else ""
                raise Unsupported(f"no kernel installed does {kind} in {shape.dtype}{cache} ({why})")
            self._chosen[key] = min(raced, key=lambda r: r[0])[1]
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
    if next(candidates(device, probe), None) is not None:
        return shapes, ""
    kept = tuple(s for s in shapes if s[3] == 0)
    return kept, "" if len(kept) == len(shapes) else "no kernel for it is installed; flash-attn has one"


def fp8_cache_problem(device: Device) -> str:
    """Why attention over an fp8 cache cannot be measured here; empty when it can."""
    probe = AttentionShape(
        batch_size=1, query_len=1, kv_len=16, heads=1, kv_heads=1, head_dim=64, dtype="bf16", kv_dtype="fp8"
    )
    if next(candidates(device, probe), None) is not None:
        return ""
    return "PyTorch has no attention over fp8 keys; install flashinfer, or FlashAttention 3 on Hopper"


def candidates(device: Device, shape: AttentionShape) -> Iterator[Kernel]:
    """Kernels that could run this kind of call on this device."""
    if device.torch is None:
        form = "batched" if shape.query_len == 1 else "one head after the other"
        yield Kernel(f"numpy, {form}", False, lambda s, _: numpy_attention(s.query_len, s.kv_len, s.window))
        return
    fp8_cache = shape.kv_dtype == "fp8"
    if device.kind == "cuda":
        # FlashAttention 3, then 2; of an fp8 cache only 3 has kernels
        for module in ("flash_attn_interface", *(() if fp8_cache else ("flash_attn",))):
            if _installed(module):
                yield Kernel(_versioned(module), True, _flash_attention(module))
        if _installed("flashinfer"):
            paged = flashinfer_decode if shape.query_len == 1 else flashinfer_prefill
            yield Kernel(_versioned("flashinfer"), True, paged)
    if shape.window == 0 and not fp8_cache:
        backends = ("CUDNN_ATTENTION", "FLASH_ATTENTION", "EFFICIENT_ATTENTION")
        for backend in backends if device.kind == "cuda" else ("FLASH_ATTENTION", "MATH"):
            yield Kernel(f"torch SDPA {backend}", False, _sdpa(backend))


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _versioned(module: str) -> str:
    """Name and version of an installed module, without importing it: that may take long, or fail."""
    from importlib.metadata import PackageNotFoundError, packages_distributions, version

    for distribution in packages_distributions().get(module, [module]):
        try:
            return f"{module}-{version(distribution)}"
        except PackageNotFoundError:
            continue
    return f"{module}-unknown"


def _sdpa(backend: str) -> Callable[[AttentionShape, Device], Attend]:
    def bind(shape: AttentionShape, device: Device) -> Attend:
        torch: Any = device.torch
        attention = importlib.import_module("torch.nn.attention")
        chosen = getattr(attention.SDPBackend, backend)
        options: dict[str, Any] = {}
        # cuDNN and FlashAttention read grouped heads themselves; the memory-efficient kernel cannot, and
        # reports that no backend is available, which keeps it out of the race.
        if shape.heads != shape.kv_heads:
            options["enable_gqa"] = True
        if shape.query_len > 1:
            if shape.kv_len == shape.query_len:
                options["is_causal"] = True
            else:  # queries are the last tokens, not the first
                bias = importlib.import_module("torch.nn.attention.bias")
                options["attn_mask"] = bias.causal_lower_right(shape.query_len, shape.kv_len)
        functional = torch.nn.functional

        def run(q: Any, k: Any, v: Any) -> Any:
            with attention.sdpa_kernel(chosen):
                return functional.scaled_dot_product_attention(q, k, v, **options)

        return run

    return bind


def _flash_attention(module: str) -> Callable[[AttentionShape, Device], Attend]:
    def bind(shape: AttentionShape, device: Device) -> Attend:
        flash: Any = importlib.import_module(module)
        torch: Any = device.torch
        window = (shape.window - 1, 0) if shape.window else (-1, -1)
        options: dict[str, Any] = {"causal": True, "window_size": window}
        fp8 = shape.kv_dtype == "fp8"
        if fp8:  # FlashAttention 3 multiplies in fp8 then, so engines cast the queries too: so do we
            one = torch.ones((shape.batch_size, shape.kv_heads), dtype=torch.float32, device=device.place)
            options |= {"q_descale": one, "k_descale": one, "v_descale": one}
        if shape.query_len > 1 and not fp8:
            return lambda q, k, v: flash.flash_attn_func(q, k, v, **options)
        options["cache_seqlens"] = torch.full(
            (shape.batch_size,), shape.kv_len, dtype=torch.int32, device=device.place
        )

        def run(q: Any, k: Any, v: Any) -> Any:
            return flash.flash_attn_with_kvcache(q.to(k.dtype), k, v, **options)

        return run

    return bind
