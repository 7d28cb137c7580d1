"""Names of devices, and what is said when one is not there."""

import importlib.util
import sys
import types

import pytest

from models.errors import InvalidInput, Unavailable
from profiler.devices.cuda import Cuda
from profiler.devices.open import open_device


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:cupy", "", "cuda:-1"])
def test_unknown_names(name: str) -> None:
    with pytest.raises(InvalidInput, match="unknown device"):
        open_device(name)


def test_numpy_is_always_there() -> None:
    device = open_device("cpu:numpy")

    assert device.kind == "cpu"
    assert device.library.startswith("numpy-")
    assert device.torch is None


def test_cpu_takes_torch_when_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec("torch") is not None
    assert (open_device("cpu").torch is not None) == found

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n, *a: None if n == "torch" else real(n, *a))
    assert open_device("cpu").torch is None


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ("cpu:torch", "cuda:0"):
        with pytest.raises(Unavailable, match=r"fulcrum-planner\[cuda\]"):
            open_device(name)


def fake_torch(*, built: str | None, available: bool, count: int = 0, reason: str = "") -> types.ModuleType:
    """As much of torch as is asked before a device is used."""
    torch = types.ModuleType("torch")

    def init() -> None:
        if reason:
            raise RuntimeError(reason)

    torch.__version__ = "2.13.0"  # type: ignore[attr-defined]
    torch.version = types.SimpleNamespace(cuda=built)  # type: ignore[attr-defined]
    torch.cuda = types.SimpleNamespace(  # type: ignore[attr-defined]
        is_available=lambda: available, init=init, device_count=lambda: count
    )
    return torch


@pytest.mark.parametrize(
    ("torch", "message"),
    [
        (fake_torch(built=None, available=False), "built without CUDA.*--device cpu"),
        (fake_torch(built="12.8", available=False), "no NVIDIA GPU was found.*needs a driver for CUDA 12.8"),
        (
            fake_torch(built="12.8", available=False, reason="The NVIDIA driver on your system is too old"),
            "driver on your system is too old.*nvidia-smi",
        ),
        (fake_torch(built="12.8", available=True, count=2), "no device cuda:7; this machine shows 2"),
    ],
)
def test_what_is_wrong_with_cuda_is_said(
    monkeypatch: pytest.MonkeyPatch, torch: types.ModuleType, message: str
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    with pytest.raises(Unavailable, match=message):
        Cuda(7)
