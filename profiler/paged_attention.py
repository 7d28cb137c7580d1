"""FlashInfer's batched attention over a paged cache, planned once and then called like any other kernel.

Interface of flashinfer 0.2.1 and newer: a wrapper is planned with the lengths of the batch, then run with
queries ``[tokens, heads, size]`` and a pair of caches ``[pages, page, heads, size]``; a run makes no host
synchronisation, so it can be recorded in a graph. Keys and values may be fp8 while queries are bf16.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from profiler.devices.device import Device
from profiler.devices.torch_tensors import torch_dtype

if TYPE_CHECKING:
    from profiler.attention_kernels import Attend, AttentionShape

__all__ = ["flashinfer_decode", "flashinfer_prefill"]

_WORKSPACE_BYTES = 128 * 1024**2
_PAGE_TOKENS = 16
_scratch: dict[str, Any] = {}
"""Scratch space by device, shared by all wrappers: they run one after the other."""


def flashinfer_decode(shape: AttentionShape, device: Device) -> Attend:
    """One query a sequence. Tensor cores pay once queries share a key-value head, as engines decide too."""
    flashinfer: Any = importlib.import_module("flashinfer")
    wrapper = flashinfer.BatchDecodeWithPagedKVCacheWrapper(
        _workspace(device), "NHD", use_tensor_cores=shape.heads // shape.kv_heads >= 4
    )
    pages = _pages(shape, device)
    wrapper.plan(*pages, shape.heads, shape.kv_heads, shape.head_dim, _page(shape), **_options(shape, device))
    return _attend(wrapper, shape)


def flashinfer_prefill(shape: AttentionShape, device: Device) -> Attend:
    """Causal attention of the last tokens of each sequence."""
    flashinfer: Any = importlib.import_module("flashinfer")
    wrapper = flashinfer.BatchPrefillWithPagedKVCacheWrapper(_workspace(device), "NHD")
    torch = device.torch
    starts = torch.arange(shape.batch_size + 1, dtype=torch.int32, device=device.place) * shape.query_len
    wrapper.plan(
        starts,
        *_pages(shape, device),
        shape.heads,
        shape.kv_heads,
        shape.head_dim,
        _page(shape),
        causal=True,
        **_options(shape, device),
    )
    return _attend(wrapper, shape)


def _attend(wrapper: Any, shape: AttentionShape) -> Attend:
    page, size = _page(shape), shape.head_dim

    def run(q: Any, k: Any, v: Any) -> Any:
        cache = tuple(t.view(-1, page, shape.kv_heads, size) for t in (k, v))
        out = wrapper.run(q.reshape(-1, shape.heads, size), cache)
        return out.view(shape.batch_size, shape.query_len, shape.heads, size)

    return run


def _page(shape: AttentionShape) -> int:
    """Tokens a page: 16, or the largest power of two that divides the cache, so that no page is half full."""
    page = _PAGE_TOKENS
    while shape.kv_len % page:
        page //= 2
    return page


def _pages(shape: AttentionShape, device: Device) -> tuple[Any, Any, Any]:
    """First page of each sequence, the pages, tokens in each sequence's last page; int32."""
    torch, each = device.torch, shape.kv_len // _page(shape)
    options = {"dtype": torch.int32, "device": device.place}
    return (
        torch.arange(shape.batch_size + 1, **options) * each,
        torch.arange(shape.batch_size * each, **options),
        torch.full((shape.batch_size,), _page(shape), **options),
    )


def _options(shape: AttentionShape, device: Device) -> dict[str, Any]:
    torch = device.torch
    return {
        "window_left": shape.window - 1 if shape.window else -1,
        "q_data_type": torch_dtype(torch, shape.dtype),
        "kv_data_type": torch_dtype(torch, shape.kv_dtype or shape.dtype),
    }


def _workspace(device: Device) -> Any:
    if device.place not in _scratch:
        torch = device.torch
        _scratch[device.place] = torch.zeros(_WORKSPACE_BYTES, dtype=torch.uint8, device=device.place)
    return _scratch[device.place]
