"""What only a GPU can show."""

import importlib.util

import numpy as np
import pytest


def gpu_problem() -> str:
    if importlib.util.find_spec("torch") is None:
        return "PyTorch (extra `cuda`) is not installed"
    import torch

    return "" if torch.cuda.is_available() else "no CUDA GPU"


pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(bool(gpu_problem()), reason=gpu_problem() or "there is a GPU"),
]


def test_a_copy_is_no_faster_than_the_memory() -> None:
    from profiler.devices.cuda import Cuda
    from profiler.measure.hbm import MEASUREMENTS
    from profiler.timing import Effort

    device = Cuda(0)
    point = {"library": device.library, "access": "copy", "size_bytes": 2.0**30}
    values = MEASUREMENTS[0].measure(device, point, Effort(), 0).values

    assert 2 * 2**30 / np.median(values) * 1e-3 < 10_000  # GB/s
    assert (np.quantile(values, 0.9) - np.quantile(values, 0.1)) / np.median(values) < 0.1


def test_a_graph_replay_launches_faster_than_the_host() -> None:
    from profiler.devices.cuda import Cuda
    from profiler.measure.launch import MEASUREMENTS
    from profiler.timing import Effort

    device = Cuda(0)
    times = {}
    for mode in ("eager", "graph"):
        point = {"library": device.library, "mode": mode, "num_kernels": 256.0}
        times[mode] = float(np.median(MEASUREMENTS[0].measure(device, point, Effort(), 0).values))

    assert times["graph"] < times["eager"]


def test_every_measurement_runs_on_the_gpu() -> None:
    from profiler.devices.cuda import Cuda
    from profiler.registry import measurements
    from profiler.space import Request, Space
    from profiler.timing import Effort

    device = Cuda(0)
    request = Request(models=("llama-3.1-8b", "mixtral-8x7b", "deepseek-v3"), max_tokens=512)
    for measurement in measurements().values():
        for space in measurement.spaces(device, request):
            if isinstance(space, Space):
                found = measurement.measure(device, space.point(0), Effort(samples=5), 0)
                assert np.all(found.values > 0), space.name
        measurement.close()
