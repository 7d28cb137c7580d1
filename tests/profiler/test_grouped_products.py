"""Grouped products against one product an expert."""

import numpy as np
import pytest

from models.errors import Unsupported
from profiler.devices.numpy_cpu import NumpyCpu
from profiler.grouped_products import grouped_problem, grouped_product

ENDS = np.array([3, 3, 8])  # the second expert gets nothing


def test_every_row_meets_its_experts_weights() -> None:
    device = NumpyCpu()
    rows, weights = device.random((8, 4), "fp32", 0), device.random((3, 4, 5), "fp32", 1)
    product, name = grouped_product(device, "fp32", ENDS)
    expected = np.concatenate([rows[:3] @ weights[0], rows[3:] @ weights[2]])

    np.testing.assert_allclose(product(rows, weights), expected, rtol=1e-5)
    assert name == "one product an expert"


def test_pytorchs_grouped_kernel_agrees() -> None:
    pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")
    from profiler.devices.torch_cpu import TorchCpu

    device = TorchCpu()
    if grouped_problem(device, "bf16"):
        pytest.skip(grouped_problem(device, "bf16"))
    rows, weights = device.random((8, 16), "bf16", 0), device.random((3, 16, 32), "bf16", 1)
    product, name = grouped_product(device, "bf16", ENDS)
    found = product(rows, weights).float().numpy()
    expected = np.concatenate(
        [(rows[:3].float() @ weights[0].float()).numpy(), (rows[3:].float() @ weights[2].float()).numpy()]
    )

    assert name == "torch._grouped_mm"
    np.testing.assert_allclose(found, expected, rtol=2e-2, atol=0.1)


def test_fp8_without_a_kernel_is_refused() -> None:
    with pytest.raises(Unsupported, match="no grouped products in fp8"):
        grouped_product(NumpyCpu(), "fp8", ENDS)
