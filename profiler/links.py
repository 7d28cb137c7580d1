"""How many GPUs this machine shows, and what joins them."""

from __future__ import annotations

from profiler.devices.device import Device

__all__ = ["gpu_count", "gpu_link"]


def gpu_count(device: Device) -> int:
    """GPUs visible to PyTorch; 0 on a CPU device."""
    return int(device.torch.cuda.device_count()) if device.kind == "cuda" else 0


def gpu_link(device: Device) -> str:
    """``nvlink`` where the first two GPUs reach each other directly over it, else ``pcie``."""
    torch = device.torch
    if not torch.cuda.can_device_access_peer(0, 1):
        return "pcie"
    try:
        import pynvml

        pynvml.nvmlInit()
        active = pynvml.nvmlDeviceGetNvLinkState(pynvml.nvmlDeviceGetHandleByIndex(0), 0)
    except Exception:  # noqa: BLE001 - no NVML, or a card without NVLink: both mean PCIe
        return "pcie"
    return "nvlink" if active else "pcie"
