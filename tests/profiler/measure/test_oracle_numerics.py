"""What is timed is the real computation: results agree with plain formulas, and between libraries."""

import numpy as np
import pytest

from profiler.devices.numpy_cpu import NumpyCpu
from profiler.job import Point
from profiler.measure.attention_decode import AttentionDecode
from profiler.measure.attention_prefill import AttentionPrefill
from profiler.measure.elementwise import Elementwise
from profiler.measure.gemm import Gemm
from profiler.measure.mla_decode import MlaDecode
from profiler.measure.moe import Moe
from profiler.measurement import Measurement

HEADS = {"num_heads": 4, "num_kv_heads": 2, "head_dim": 16, "value_dim": 16, "window_size": 0}
POINTS: list[tuple[Measurement, Point]] = [
    (Gemm(), {"dtype": "fp32", "m": 5, "n": 24, "k": 16}),
    (
        AttentionPrefill(),
        {"dtype": "fp32", "kv_dtype": "fp32", "batch_size": 2, "query_len": 6, "prefix_len": 0} | HEADS,
    ),
    (
        AttentionPrefill(),
        {"dtype": "fp32", "kv_dtype": "fp32", "batch_size": 1, "query_len": 3, "prefix_len": 5} | HEADS,
    ),
    (
        AttentionDecode(),
        {"dtype": "fp32", "kv_dtype": "fp32", "batch_size": 3, "query_len": 1, "kv_len": 9} | HEADS,
    ),
    (
        MlaDecode(),
        {
            "dtype": "fp32",
            "kv_dtype": "fp32",
            "batch_size": 2,
            "kv_len": 7,
            "num_heads": 4,
            "head_dim": 24,
            "value_dim": 16,
        },
    ),
    (
        Moe(),
        {
            "dtype": "fp32",
            "distribution": "power_law_1.2",
            "num_tokens": 10,
            "hidden_size": 16,
            "inter_size": 32,
        }
        | {"top_k": 2, "num_experts": 8, "moe_tp_size": 2, "moe_ep_size": 1},
    ),
    *(
        (Elementwise(), {"dtype": "fp32", "kernel_kind": kind, "num_tokens": 6, "width": 32})
        for kind in ("rms_norm", "add_rms_norm", "silu_mul", "rotary")
    ),
]


@pytest.mark.parametrize(("measurement", "point"), POINTS, ids=lambda p: getattr(p, "operation", None))
def test_numpy_and_torch_compute_the_same(measurement: Measurement, point: Point) -> None:
    pytest.importorskip("torch", reason="PyTorch (extra `cuda`) is not installed")
    from profiler.devices.torch_cpu import TorchCpu

    first = np.asarray(measurement.job(NumpyCpu(), point, 5).calls[0]())
    second = np.asarray(measurement.job(TorchCpu(), point, 5).calls[0]())

    np.testing.assert_allclose(second.reshape(first.shape), first, rtol=2e-3, atol=2e-3)


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize(("prefix", "window"), [(0, 0), (5, 0), (0, 3), (4, 2)])
def test_prefill_is_causal_attention(prefix: int, window: int) -> None:
    device = NumpyCpu()
    point = dict(POINTS[1][1]) | {
        "batch_size": 1,
        "query_len": 6,
        "prefix_len": prefix,
        "window_size": window,
    }
    found = np.asarray(AttentionPrefill().job(device, point, 2).calls[0]())
    q = device.random((1, 4, 6, 16), "fp32", 2)
    k = device.random((1, 2, 6 + prefix, 16), "fp32", 3)
    v = device.random((1, 2, 6 + prefix, 16), "fp32", 4)
    for head in range(4):
        for i in range(6):
            last = prefix + i + 1
            first = max(0, last - window) if window else 0
            scores = softmax(k[0, head // 2, first:last] @ q[0, head, i] / 4)
            np.testing.assert_allclose(
                found[0, head, i], scores @ v[0, head // 2, first:last], rtol=1e-4, atol=1e-5
            )


def test_experts_are_gated_products() -> None:
    device = NumpyCpu()
    point = dict(POINTS[5][1]) | {"num_tokens": 1, "top_k": 8, "distribution": "balanced"}
    found = np.asarray(Moe().job(device, point, 3).calls[0]())
    x = device.random((1, 16), "fp32", 3)
    up, down = device.random((8, 16, 32), "fp32", 4), device.random((8, 16, 16), "fp32", 5)
    expected = np.zeros((1, 16))
    for e in range(8):
        gate, value = np.split(x @ up[e], 2, axis=1)
        expected += (gate / (1 + np.exp(-gate)) * value) @ down[e]

    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
