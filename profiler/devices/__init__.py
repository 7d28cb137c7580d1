"""Devices that can be measured; `profiler.devices.open` opens one by name."""
