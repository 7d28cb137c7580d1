"""Prefill GPUs for each decode GPU, by the time a token may take.

A tight TPOT allows small batches only: decode needs many GPUs. A loose one lets each decode GPU serve a large
batch, and prefill becomes the larger part. A fixed ratio is therefore wrong somewhere (Beyond the Buzz, MLSys
2026, arXiv 2506.05508: 3.5 at relaxed, 0.5 at strict latency).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.resharding import Layout, PhaseRoofline, RequestClass

__all__ = ["MatchedRatio", "matched_ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchedRatio:
    """The best layout of each phase and the ratio at which their rates match.

    ``rate_per_gpu``: requests per second and GPU of both pools together; ``batch``: requests that the decode
    layout runs at once; ``token_s``: time per token at it.
    """

    prefill: Layout
    decode: Layout
    batch: float
    token_s: float
    prefill_per_decode_gpu: float
    rate_per_gpu: float


def matched_ratio(
    model: PhaseRoofline,
    request: RequestClass,
    *,
    ttft_s: float,
    tpot_s: float,
    instance_gpus: Iterable[int] = (1, 2, 4, 8),
) -> MatchedRatio | None:
    """The pair of layouts with the highest rate per GPU whose single prompt and token meet the targets.

    With rates p and d per GPU the pools match at d / p prefill GPUs for each decode GPU, and serve
    ``1 / (1 / p + 1 / d)`` per GPU. None when no layout meets a target. Queueing is not considered.
    """
    sizes = sorted(set(instance_gpus))
    fitting = [
        layout
        for gpus in sizes
        for layout in model.layouts(gpus)
        if layout.replicas == 1 and model.room_tokens(layout) >= request.input_tokens + request.output_tokens
    ]
    prefills = []
    for layout in fitting:
        seconds = model.prefill_s(layout, request)
        if seconds * layout.pipeline_parallel_size <= ttft_s:
            prefills.append((1.0 / (seconds * layout.gpus), layout))
    decodes = [found for layout in fitting if (found := _decode(model, layout, request, tpot_s)) is not None]
    if not prefills or not decodes:
        return None
    rate_p, prefill = max(prefills, key=lambda p: p[0])
    rate_d, decode, batch = max(decodes, key=lambda d: d[0])
    return MatchedRatio(
        prefill=prefill,
        decode=decode,
        batch=batch,
        token_s=model.token_s(decode, request, batch),
        prefill_per_decode_gpu=rate_d / rate_p,
        rate_per_gpu=1.0 / (1.0 / rate_p + 1.0 / rate_d),
    )


def _decode(
    model: PhaseRoofline, layout: Layout, request: RequestClass, tpot_s: float
) -> tuple[float, Layout, float] | None:
    """Rate per GPU at the largest batch that memory and the target allow; time grows with the batch."""
    low, high = 1.0, model.batch(layout, request)
    if high < 1 or model.token_s(layout, request, low) > tpot_s:
        return None
    if model.token_s(layout, request, high) <= tpot_s:
        low = high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if model.token_s(layout, request, middle) <= tpot_s else (low, middle)
    rate = low / (model.token_s(layout, request, low) * request.output_tokens)
    return rate / layout.gpus, layout, low
