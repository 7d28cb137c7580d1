"""How a GPU is measured: devices, timing, one file per measurement, an adaptive grid, resumable runs.

Nothing outside this package imports PyTorch, and nothing here needs it before a device that runs on it is
opened.
"""
