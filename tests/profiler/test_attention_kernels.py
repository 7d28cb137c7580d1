"""The race between attention kernels, on what is installed here."""

from dataclasses import replace

import numpy as np
import pytest

from models.errors import Unsupported
from profiler.attention_kernels import AttentionShape, KernelChoice, candidates, supported_windows
from profiler.devices.numpy_cpu import NumpyCpu

SHAPE = AttentionShape(batch_size=1, query_len=8, kv_len=8, heads=2, kv_heads=1, head_dim=16, dtype="fp32")


def test_a_kernel_wins_and_computes_attention() -> None:
    pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")
    from profiler.devices.torch_cpu import TorchCpu

    device = TorchCpu()
    choice = KernelChoice()
    best = choice.best(device, SHAPE)

    assert best.name in {k.name for k in candidates(device, SHAPE)}
    assert choice.best(device, SHAPE) is best
    results = [np.asarray(k.calls(SHAPE, device, 1, 1)[0]()) for k in candidates(device, SHAPE)]
    for other in results:
        np.testing.assert_allclose(other, results[0], rtol=1e-3, atol=1e-4)


def test_caches_differ_and_queries_do_not() -> None:
    kernel = KernelChoice().best(NumpyCpu(), SHAPE)
    calls = kernel.calls(SHAPE, NumpyCpu(), 3, 3)
    found = [np.asarray(call()) for call in calls]

    assert not np.allclose(found[0], found[1])
    assert not np.allclose(found[1], found[2])
    np.testing.assert_array_equal(found[0], calls[0]())


def test_windows_without_a_kernel_are_left_out_with_the_reason() -> None:
    pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")
    from profiler.devices.torch_cpu import TorchCpu

    shapes = ((4, 2, 64, 0), (4, 2, 64, 128))
    assert supported_windows(TorchCpu(), shapes) == (
        ((4, 2, 64, 0),),
        "no kernel for it is installed; flash-attn has one",
    )
    assert supported_windows(NumpyCpu(), shapes) == (shapes, "")

    windowed = replace(SHAPE, window=4)
    with pytest.raises(Unsupported, match="no kernel installed does windowed attention"):
        KernelChoice().best(TorchCpu(), windowed)
