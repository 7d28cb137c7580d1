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


def test_products_in_8_bits_are_products() -> None:
    from profiler.devices.cuda import Cuda
    from profiler.measure.gemm import MEASUREMENTS

    device = Cuda(0)
    for dtype in sorted({"fp8", "int8"} & set(device.formats)):
        for m in (1, 64):
            point = {"library": device.library, "dtype": dtype, "m": float(m), "n": 256.0, "k": 512.0}
            call = MEASUREMENTS[0].job(device, point, 3).calls[0]
            a, b = call.args  # type: ignore[attr-defined]
            found = call().double()
            expected = a.double() @ b.double().T
            assert float((found - expected).norm() / expected.norm()) < 0.01, (dtype, m)


def test_grouped_products_are_products_of_each_expert() -> None:
    from profiler.devices.cuda import Cuda
    from profiler.grouped_products import grouped_problem, grouped_product

    device = Cuda(0)
    ends = np.array([3, 3, 40])
    for dtype in ("bf16", "fp8"):
        if grouped_problem(device, dtype):
            continue
        rows = device.random((40, 64), dtype, 0)
        weights = device.random((3, 32, 64), dtype, 1).transpose(1, 2)
        product, name = grouped_product(device, dtype, ends)
        found = product(rows, weights).double()
        parts = (rows[:3].double() @ weights[0].double(), rows[3:].double() @ weights[2].double())
        expected = device.torch.cat(parts)
        assert float((found - expected).norm() / expected.norm()) < 0.01, name


def test_attention_kernels_agree() -> None:
    """Every kernel installed computes the same, over bf16 keys; over fp8 ones nearly the same."""
    from profiler.attention_kernels import AttentionShape, candidates
    from profiler.devices.cuda import Cuda

    device = Cuda(0)
    for kv_dtype, tolerance in (("bf16", 0.02), ("fp8", 0.1)):
        for queries, keys in ((1, 320), (64, 64), (64, 320)):
            shape = AttentionShape(
                batch_size=2, query_len=queries, kv_len=keys, heads=8, kv_heads=2, head_dim=128,
                dtype="bf16", kv_dtype=kv_dtype,
            )  # fmt: skip
            reference = None
            for kernel in candidates(device, shape):
                first = device.random((2, queries, 8, 128), "bf16", 1)
                k, v = (device.random((2, keys, 2, 128), kv_dtype, salt) for salt in (2, 3))
                placed = [t if kernel.tokens_first else t.transpose(1, 2) for t in (first, k, v)]
                try:
                    found = kernel.bind(shape, device)(*placed)
                except RuntimeError:
                    continue  # a back-end that does not do this shape: the race leaves it out too
                found = (found if kernel.tokens_first else found.transpose(1, 2)).double()
                reference = found if reference is None else reference
                off = float((found - reference).norm() / reference.norm())
                assert off < tolerance, (kernel.name, shape)
