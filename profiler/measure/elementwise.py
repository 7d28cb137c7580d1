"""The small kernels between the products: norms, activations, rotary embedding, sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from profiler.devices.device import Device
from profiler.job import Job, Point
from profiler.measure.gemm import token_counts
from profiler.measurement import Measurement, number
from profiler.shapes import shapes_of
from profiler.small_kernels import SmallKernels, small_kernels
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]

_KINDS = ("rms_norm", "add_rms_norm", "silu_mul", "rotary", "sample")


class Elementwise(Measurement):
    """`width` is the row length that comes in; `silu_mul` reads two rows of it and writes one.

    One set of inputs, however small: a model runs these kernels on what the kernel before has just
    written, which is in the cache if it fits there.
    """

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
        """The kernel on rows of random numbers."""
        tokens, width = number(point, "num_tokens", "width")
        dtype, kind = str(point["dtype"]), str(point["kernel_kind"])
        x = device.random((tokens, width * (2 if kind == "silu_mul" else 1)), dtype, seed)
        y = device.random((tokens, width), dtype, seed + 1)
        w = device.random((width,), dtype, seed + 2)
        kernels = small_kernels(device)
        return Job(calls=(_call(kernels, kind, x, y, w),), kernel=kernels.name)


def _call(kernels: SmallKernels, kind: str, x: Any, y: Any, w: Any) -> Callable[[], object]:
    match kind:
        case "rms_norm":
            return partial(kernels.norm, x, w)
        case "add_rms_norm":
            return lambda: kernels.norm(x + y, w)
        case "silu_mul":
            return partial(kernels.silu_mul, x)
        case "rotary":
            return partial(kernels.rotary, x, y)
        case _:
            return partial(kernels.sample, x, y)


MEASUREMENTS = (Elementwise(),)
