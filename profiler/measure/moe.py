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
        for dtype in request.wants(f for f in device.formats if f in {"bf16", "fp16", "fp32"}):
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
        grouped = device.torch is not None and _has_grouped(device, dtype)
        calls = tuple(
            _call(device, dtype, (tokens, hidden, inner), loads, seed + i, grouped=grouped)
            for i in range(copies)
        )
        kernel = "torch grouped_mm" if grouped else "one product an expert"
        return Job(calls=calls, kernel=f"gather, {kernel}, scatter; not fused")


def _has_grouped(device: Device, dtype: str) -> bool:
    torch = device.torch
    if dtype != "bf16" or not hasattr(torch, "_grouped_mm"):
        return False
    try:
        x = device.random((16, 64), dtype, 0)
        w = device.random((2, 64, 32), dtype, 1)
        torch._grouped_mm(x, w, offs=torch.tensor([8, 16], dtype=torch.int32, device=device.place))
    except RuntimeError:
        return False
    return True


def _call(
    device: Device,
    dtype: str,
    size: tuple[int, int, int],
    loads: np.typing.NDArray[np.int64],
    seed: int,
    *,
    grouped: bool,
) -> Callable[[], object]:
    tokens, hidden, inner = size
    x = device.random((tokens, hidden), dtype, seed)
    up = device.random((loads.size, hidden, 2 * inner), dtype, seed + 1)
    down = device.random((loads.size, inner, hidden), dtype, seed + 2)
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.permutation(tokens)[:count] for count in loads])
    ends = np.cumsum(loads)
    if device.torch is None:
        return _numpy(x, up, down, rows, ends)
    return _torch(device, x, up, down, rows, ends, grouped=grouped)


def _numpy(x: Any, up: Any, down: Any, rows: Any, ends: Any) -> Callable[[], object]:
    inner = down.shape[1]
    spans = [(int(a), int(b)) for a, b in zip((0, *ends[:-1]), ends, strict=True)]

    def run() -> Any:
        out = np.zeros_like(x)
        for expert, (a, b) in enumerate(spans):
            if a == b:
                continue
            h = x[rows[a:b]] @ up[expert]
            gate = h[:, :inner]
            y = (gate / (1 + np.exp(-np.clip(gate, -80, 80))) * h[:, inner:]) @ down[expert]
            out[rows[a:b]] += y  # an expert sees a token once: no repeated rows within a span
        return out

    return run


def _torch(
    device: Device, x: Any, up: Any, down: Any, rows: Any, ends: Any, *, grouped: bool
) -> Callable[[], object]:
    torch: Any = device.torch
    silu = torch.nn.functional.silu
    index = torch.from_numpy(rows).to(device.place)
    offsets = torch.from_numpy(ends.astype(np.int32)).to(device.place)
    spans = [(e, int(a), int(b)) for e, (a, b) in enumerate(zip((0, *ends[:-1]), ends, strict=True)) if a < b]

    def products(rows_in: Any, weights: Any) -> Any:
        if grouped:
            return torch._grouped_mm(rows_in, weights, offs=offsets)
        out = torch.empty((rows_in.shape[0], weights.shape[2]), dtype=rows_in.dtype, device=rows_in.device)
        for expert, a, b in spans:
            torch.mm(rows_in[a:b], weights[expert], out=out[a:b])
        return out

    def run() -> Any:
        gate, value = products(x.index_select(0, index), up).chunk(2, dim=-1)
        y = products(silu(gate) * value, down)
        return torch.zeros_like(x).index_add_(0, index, y)

    return run


MEASUREMENTS = (Moe(),)
