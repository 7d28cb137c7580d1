"""From a device's name to the device."""

from __future__ import annotations

import importlib.util
import re

from models.errors import InvalidInput
from profiler.devices.device import Device

__all__ = ["open_device"]


def open_device(name: str) -> Device:
    """Open ``cuda``, ``cuda:1``, ``cpu``, ``cpu:torch`` or ``cpu:numpy``.

    ``cpu`` alone means PyTorch when it is installed, else NumPy; profiles say which it was.

    Raises
    ------
    InvalidInput
        No such name.
    Unavailable
        The device or its library is not there, with what to do about it.
    """
    text = name.strip().lower()
    cuda = re.fullmatch(r"cuda(?::(\d+))?", text)
    if cuda:
        from profiler.devices.cuda import Cuda

        return Cuda(int(cuda.group(1) or 0))
    if text == "cpu":
        text = "cpu:torch" if importlib.util.find_spec("torch") else "cpu:numpy"
    if text == "cpu:torch":
        from profiler.devices.torch_cpu import TorchCpu

        return TorchCpu()
    if text == "cpu:numpy":
        from profiler.devices.numpy_cpu import NumpyCpu

        return NumpyCpu()
    raise InvalidInput(f"unknown device {name!r}; use cuda:0, cuda:1, …, cpu, cpu:torch or cpu:numpy")
