"""What FlashInfer is asked for: pages, lengths and formats, seen by a stand-in that computes attention."""

import sys
import types
from typing import Any

import numpy as np
import pytest

from profiler.attention_kernels import AttentionShape, Kernel
from profiler.devices.numpy_cpu import NumpyCpu
from profiler.numpy_attention import numpy_attention
from profiler.paged_attention import flashinfer_decode, flashinfer_prefill

torch = pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")


class Wrapper:
    """Attention over pages as FlashInfer's interface describes it, by NumPy."""

    planned: tuple[Any, ...]
    options: dict[str, Any]

    def __init__(self, workspace: Any, layout: str, **options: Any) -> None:
        assert layout == "NHD"
        assert workspace.dtype == torch.uint8
        self.built = options

    def plan(self, *planned: Any, **options: Any) -> None:
        self.planned, self.options = planned, options

    def attend(self, q: Any, cache: Any, pages: tuple[Any, ...], starts: list[int]) -> Any:
        first, indices, last, heads, kv_heads, size, page = pages
        out = []
        for sequence in range(len(first) - 1):
            own = indices[first[sequence] : first[sequence + 1]]
            tokens = (len(own) - 1) * page + int(last[sequence])
            k, v = (t[own].reshape(-1, kv_heads, size)[:tokens].numpy().swapaxes(0, 1)[None] for t in cache)
            mine = q[starts[sequence] : starts[sequence + 1]].numpy().swapaxes(0, 1)[None]
            window = self.options["window_left"] + 1
            found = numpy_attention(mine.shape[2], tokens, window)(mine, k, v)
            out.append(torch.from_numpy(found[0].swapaxes(0, 1).reshape(-1, heads, size).copy()))
        return torch.cat(out)


class Decode(Wrapper):
    def run(self, q: Any, cache: Any) -> Any:
        return self.attend(q, cache, self.planned, list(range(len(q) + 1)))


class Prefill(Wrapper):
    def run(self, q: Any, cache: Any) -> Any:
        assert self.options["causal"] is True
        return self.attend(q, cache, self.planned[1:], self.planned[0].tolist())


@pytest.mark.parametrize(("query_len", "kv_len"), [(1, 48), (1, 20), (7, 7), (8, 40)])
@pytest.mark.parametrize("window", [0, 5])
def test_pages_hold_the_cache(
    monkeypatch: pytest.MonkeyPatch, query_len: int, kv_len: int, window: int
) -> None:
    from profiler.devices.torch_cpu import TorchCpu

    fake = types.ModuleType("flashinfer")
    fake.BatchDecodeWithPagedKVCacheWrapper = Decode  # type: ignore[attr-defined]
    fake.BatchPrefillWithPagedKVCacheWrapper = Prefill  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flashinfer", fake)
    shape = AttentionShape(
        batch_size=3, query_len=query_len, kv_len=kv_len, heads=4, kv_heads=2, head_dim=16, window=window,
        dtype="fp32",
    )  # fmt: skip
    bind = flashinfer_decode if query_len == 1 else flashinfer_prefill
    device = TorchCpu()
    found = np.asarray(Kernel("flashinfer", True, bind).calls(shape, device, 1, 1)[0]())
    kernel = Kernel("numpy", False, lambda s, _: numpy_attention(s.query_len, s.kv_len, s.window))
    plain = Kernel("inputs", True, kernel.bind)
    q = np.asarray(plain.query(shape, NumpyCpu(), 1)).swapaxes(1, 2)
    k, v = (np.asarray(t).swapaxes(1, 2) for t in plain.cache(shape, NumpyCpu(), 1))
    expected = kernel.bind(shape, NumpyCpu())(q, k, v).swapaxes(1, 2)

    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
