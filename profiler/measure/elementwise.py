"""The small kernels between the products: norms, activations, rotary embedding, sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from profiler.devices.device import Device, rotations
from profiler.job import Job, Point
from profiler.measure.gemm import token_counts
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]

_KINDS = ("rms_norm", "add_rms_norm", "silu_mul", "rotary", "sample")


class Elementwise(Measurement):
    """`width` is the row length that comes in; `silu_mul` reads two rows of it and writes one."""

    operation = "elementwise"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Row lengths of the models; vocabulary rows for sampling, with at most a batch of them."""
        shapes = shapes_of(request)
        for dtype in request.wants(f for f in device.formats if f in {"bf16", "fp16", "fp32"}):
            for kind in _KINDS:
                widths = shapes.vocabularies if kind == "sample" else shapes.widths
                most = request.max_batch_size if kind == "sample" else request.max_tokens
                labels = {"library": device.library, "kernel_kind": kind, "dtype": dtype}
                # Rotary and the pair of halves in silu_mul need even rows.
                rows = (
                    {"num_tokens": t, "width": w} for t in token_counts(most) for w in widths if w % 2 == 0
                )
                yield Space.of("elementwise", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The kernel on separate inputs."""
        tokens, width = number(point, "num_tokens", "width")
        dtype, kind = str(point["dtype"]), str(point["kernel_kind"])
        copies = rotations(device, 4.0 * tokens * width * 2)
        calls = tuple(self._call(device, kind, dtype, (tokens, width), seed + i) for i in range(copies))
        return Job(calls=calls, kernel="numpy" if device.torch is None else "torch, not fused")

    def _call(
        self, device: Device, kind: str, dtype: str, size: tuple[int, int], seed: int
    ) -> Callable[[], object]:
        tokens, width = size
        x = device.random((tokens, width * (2 if kind == "silu_mul" else 1)), dtype, seed)
        y = device.random((tokens, width), dtype, seed + 1)
        w = device.random((width,), dtype, seed + 2)
        return (_numpy if device.torch is None else _torch)(kind, x, y, w, device.torch)


def _numpy(kind: str, x: Any, y: Any, w: Any, _: Any) -> Callable[[], object]:
    half = w.size // 2

    def norm(v: Any) -> Any:
        return v / np.sqrt((v * v).mean(axis=-1, keepdims=True) + 1e-6) * w

    def rotary() -> Any:
        left, right = x[:, :half], x[:, half:]
        return np.concatenate(
            (left * y[:, :half] - right * y[:, half:], right * y[:, :half] + left * y[:, half:]), 1
        )

    def silu_mul() -> Any:
        gate, up = x[:, : w.size], x[:, w.size :]
        return gate / (1 + np.exp(-np.clip(gate, -80, 80))) * up

    table: dict[str, Callable[[], object]] = {
        "rms_norm": lambda: norm(x),
        "add_rms_norm": lambda: norm(x + y),
        "silu_mul": silu_mul,
        "rotary": rotary,
        "sample": lambda: (x - np.log(-np.log(np.clip(np.abs(y) / 8, 1e-9, 0.999)))).argmax(axis=-1),
    }
    return table[kind]


def _torch(kind: str, x: Any, y: Any, w: Any, torch: Any) -> Callable[[], object]:
    functional = torch.nn.functional
    half = w.numel() // 2

    def norm(v: Any) -> Any:
        return functional.rms_norm(v, (w.numel(),), w, 1e-6)

    def rotary() -> Any:
        left, right = x[:, :half], x[:, half:]
        return torch.cat(
            (left * y[:, :half] - right * y[:, half:], right * y[:, :half] + left * y[:, half:]), 1
        )

    def silu_mul() -> Any:
        gate, up = x.chunk(2, dim=-1)
        return functional.silu(gate) * up

    def sample() -> Any:
        # The Gumbel trick: no host synchronisation, unlike torch.multinomial.
        noise = torch.empty_like(x, dtype=torch.float32).exponential_().log_().neg_()
        return (x.float() + noise).argmax(dim=-1)

    table: dict[str, Callable[[], object]] = {
        "rms_norm": lambda: norm(x),
        "add_rms_norm": lambda: norm(x + y),
        "silu_mul": silu_mul,
        "rotary": rotary,
        "sample": sample,
    }
    return table[kind]


MEASUREMENTS = (Elementwise(),)
