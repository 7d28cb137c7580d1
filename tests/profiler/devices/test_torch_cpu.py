"""PyTorch on the CPU, where it is installed."""

import pytest

torch = pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")

from models.errors import Unsupported  # noqa: E402
from profiler.devices.torch_cpu import TorchCpu  # noqa: E402
from profiler.devices.torch_tensors import random_tensor  # noqa: E402


def test_formats_and_provenance() -> None:
    device = TorchCpu()

    assert device.library == f"torch-{torch.__version__}"
    assert device.libraries()["torch"] == torch.__version__
    for dtype in device.formats:
        x = device.random((100, 100), dtype, 3)
        assert abs(float(x.float().std()) - 1) < 0.05


@pytest.mark.parametrize(
    ("dtype", "kind"), [("fp8", "float8_e4m3fn"), ("int8", "int8"), ("bf16", "bfloat16")]
)
def test_random_tensors_of_every_format(dtype: str, kind: str) -> None:
    x = random_tensor(torch, (64, 64), dtype, "cpu", 1)

    assert str(x.dtype) == f"torch.{kind}"
    assert x.float().unique().numel() > 50


def test_formats_torch_does_not_have() -> None:
    with pytest.raises(Unsupported, match="no tensors of nvfp4"):
        random_tensor(torch, (4,), "nvfp4", "cpu", 1)
