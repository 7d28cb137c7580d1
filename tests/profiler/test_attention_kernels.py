"""The race between attention kernels, on what is installed here."""

import numpy as np
import pytest

from models.errors import Unsupported
from profiler.attention_kernels import AttentionShape, KernelChoice, candidates, supported_windows
from profiler.devices.numpy_cpu import NumpyCpu

SHAPE = AttentionShape(batch_size=1, query_len=8, kv_len=8, heads=2, kv_heads=1, head_dim=16)


def test_a_kernel_wins_and_computes_attention() -> None:
    pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")
    from profiler.devices.torch_cpu import TorchCpu

    device = TorchCpu()
    choice = KernelChoice()
    name, build = choice.best(device, SHAPE, "fp32")

    assert name in {n for n, _ in candidates(device, SHAPE)}
    assert choice.best(device, SHAPE, "fp32")[0] == name
    results = [np.asarray(b(SHAPE, device, "fp32", 1)()) for _, b in candidates(device, SHAPE)]
    for other in results:
        np.testing.assert_allclose(other, results[0], rtol=1e-3, atol=1e-4)
    assert build(SHAPE, device, "fp32", 1)() is not None


def test_windows_without_a_kernel_are_left_out_with_the_reason() -> None:
    pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")
    from profiler.devices.torch_cpu import TorchCpu

    shapes = ((4, 2, 64, 0), (4, 2, 64, 128))
    assert supported_windows(TorchCpu(), shapes) == (
        ((4, 2, 64, 0),),
        "no kernel for it is installed; flash-attn has one",
    )
    assert supported_windows(NumpyCpu(), shapes) == (shapes, "")

    windowed = AttentionShape(batch_size=1, query_len=8, kv_len=8, heads=2, kv_heads=1, head_dim=16, window=4)
    with pytest.raises(Unsupported, match="no kernel installed does windowed attention"):
        KernelChoice().best(TorchCpu(), windowed, "fp32")
