"""Routed experts of one layer on one rank: gather, two grouped products with the activation between,
combine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.errors import Unsupported
from models.profiles.columns import DTYPES
from profiler.devices.device import Device, rotations
from profiler.devices.torch_tensors import torch_dtype
from profiler.grouped_products import Product, grouped_problem, grouped_product
from profiler.job import Job, Point
from profiler.measure.gemm import token_counts
from profiler.measurement import Measurement, number
from profiler.routing import busiest_rank_loads, expert_loads
from profiler.shapes import shapes_of
from profiler.space import Request, Space, Unmeasurable

__all__ = ["MEASUREMENTS"]

_DISTRIBUTIONS = ("balanced", "power_law_1.2")


class Moe(Measurement):
    """Routing is fixed before timing; with expert parallelism the busiest rank is measured."""

    operation = "moe"

    def spaces(self, device: Device, request: Request) -> Iterable[Space | Unmeasurable]:
        """Every expert shape of the models, balanced and skewed routing."""
        experts = shapes_of(request).experts
        if not experts:
            yield Unmeasurable(operation="moe", what="all", reason="none of the models has experts")
            return
        names = ("hidden_size", "inter_size", "top_k", "num_experts", "moe_tp_size", "moe_ep_size")
        rows = [
            {"num_tokens": t, **dict(zip(names, e, strict=True))}
            for e in experts
            for t in token_counts(min(request.max_tokens, 16_384))
        ]
        formats = [f for f in device.formats if f in {"bf16", "fp16", "fp32"}]
        if "fp8" in device.formats:
            problem = grouped_problem(device, "fp8")
            if problem:
                yield Unmeasurable(operation="moe", what="fp8", reason=problem)
            else:
                formats.append("fp8")
        if device.kind == "cuda":
            reason = "PyTorch has no grouped products of 4-bit weights; engines' own kernels are not measured"
            yield Unmeasurable(operation="moe", what="int4, mxfp4, nvfp4", reason=reason)
        for dtype in request.wants(formats):
            for distribution in _DISTRIBUTIONS:
                labels = {"library": device.library, "dtype": dtype, "distribution": distribution}
                yield Space.of("moe", labels, rows)

    def job(self, device: Device, point: Point, seed: int) -> Job:
        """The rank's experts with the tokens they get."""
        tokens, hidden, inter = number(point, "num_tokens", "hidden_size", "inter_size")
        top_k, experts, tp, ep = number(point, "top_k", "num_experts", "moe_tp_size", "moe_ep_size")
        dtype = str(point["dtype"])
        loads = busiest_rank_loads(expert_loads(tokens, top_k, experts, str(point["distribution"])), ep)
        inner = inter // tp
        weight_bytes = 3.0 * loads.size * hidden * inner * DTYPES[dtype]
        if weight_bytes > 0.7 * device.free_bytes():
            raise Unsupported(f"the experts' weights take {weight_bytes / 1e9:.1f} GB, more than is free")
        copies = rotations(device, weight_bytes, most=4)
        x = device.random((tokens, hidden), "bf16" if dtype == "fp8" else dtype, seed)
        rng = np.random.default_rng(seed)
        rows = np.concatenate([rng.permutation(tokens)[:count] for count in loads])
        product, kernel = grouped_product(device, dtype, np.cumsum(loads))
        weights = (_weights(device, dtype, (loads.size, hidden, inner), seed + 3 * i) for i in range(copies))
        if device.torch is None:
            calls = tuple(_numpy(x, up, down, rows, loads, product) for up, down in weights)
        else:
            calls = tuple(_torch(device, dtype, x, up, down, rows, product) for up, down in weights)
        return Job(calls=calls, kernel=f"gather, {kernel}, scatter; not fused")


def _weights(device: Device, dtype: str, size: tuple[int, int, int], seed: int) -> tuple[Any, Any]:
    """(gate and up ``[experts, hidden, 2 · inner]``, down ``[experts, inner, hidden]``)."""
    experts, hidden, inner = size
    if dtype == "fp8":  # the grouped fp8 product wants each expert's weights column by column
        up = device.random((experts, 2 * inner, hidden), dtype, seed + 1).transpose(1, 2)
        return up, device.random((experts, hidden, inner), dtype, seed + 2).transpose(1, 2)
    return (
        device.random((experts, hidden, 2 * inner), dtype, seed + 1),
        device.random((experts, inner, hidden), dtype, seed + 2),
    )


def _numpy(x: Any, up: Any, down: Any, rows: Any, loads: Any, product: Product) -> Callable[[], object]:
    inner = down.shape[1]
    by_expert = [part for part in np.split(np.arange(rows.size), np.cumsum(loads)[:-1]) if part.size]

    def run() -> Any:
        h = product(x[rows], up)
        gate = h[:, :inner]
        y = product(gate / (1 + np.exp(-np.clip(gate, -80, 80))) * h[:, inner:], down)
        out = np.zeros_like(x)
        for part in by_expert:
            out[rows[part]] += y[part]  # an expert sees a token once: no row is repeated within a part
        return out

    return run


def _torch(
    device: Device, dtype: str, x: Any, up: Any, down: Any, rows: Any, product: Product
) -> Callable[[], object]:
    torch: Any = device.torch
    silu = torch.nn.functional.silu
    index = torch.from_numpy(rows).to(device.place)
    form = torch_dtype(torch, dtype)

    def run() -> Any:
        # Activations are cast once a product, as engines do; of the other formats the cast is nothing.
        gate, value = product(x.index_select(0, index).to(form), up).chunk(2, dim=-1)
        y = product((silu(gate) * value).to(form), down)
        return torch.zeros_like(x).index_add_(0, index, y)

    return run


MEASUREMENTS = (Moe(),)
