"""The best layout of each kind, by enumeration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from planner.resharding.cycle import HostBuffer, SwitchCycle, switch_cycle
from planner.resharding.layout import Layout
from planner.resharding.phase_model import PhaseModel, RequestClass

__all__ = [
    "Disaggregated",
    "Static",
    "best_disaggregated",
    "best_static",
    "best_switching",
    "disaggregations",
    "fitting",
    "statics",
    "switchings",
]


@dataclass(frozen=True, slots=True)
class Static:
    """One layout for both phases; `chunked`: they share steps, otherwise they alternate."""

    layout: Layout
    chunked: bool
    rate_per_s: float


@dataclass(frozen=True, slots=True)
class Disaggregated:
    """Some GPUs prefill, the others decode; the slower side sets the rate."""

    prefill: Layout
    decode: Layout
    rate_per_s: float


def fitting(model: PhaseModel, gpus: int, request: RequestClass) -> Iterator[Layout]:
    """Layouts whose every replica has room for at least one request."""
    for layout in model.layouts(gpus):
        if model.room_tokens(layout) / layout.replicas >= request.input_tokens + request.output_tokens:
            yield layout


def statics(model: PhaseModel, gpus: int, request: RequestClass) -> Iterator[Static]:
    """Every fixed layout, with and without chunked prefill."""
    for layout in fitting(model, gpus, request):
        alternating = model.prefill_s(layout, request) + model.decode_s(layout, request)
        yield Static(layout, False, 1.0 / alternating)
        yield Static(layout, True, 1.0 / model.mixed_s(layout, request))


def switchings(
    model: PhaseModel, gpus: int, request: RequestClass, host: HostBuffer, *, requests: float | None = None
) -> Iterator[SwitchCycle]:
    """Every pair of different layouts with equal replicas."""
    fit = list(fitting(model, gpus, request))
    for prefill in fit:
        for decode in fit:
            if prefill != decode and prefill.replicas == decode.replicas:
                yield switch_cycle(model, prefill, decode, request, host, requests=requests)


def disaggregations(model: PhaseModel, gpus: int, request: RequestClass) -> Iterator[Disaggregated]:
    """Every split of the GPUs in two, with every layout of each side. The transfer of the cache is free."""
    for first in range(1, gpus):
        prefills = list(fitting(model, first, request))
        decodes = list(fitting(model, gpus - first, request))
        for prefill in prefills:
            for decode in decodes:
                slower = max(model.prefill_s(prefill, request), model.decode_s(decode, request))
                yield Disaggregated(prefill, decode, 1.0 / slower)


def best_static(model: PhaseModel, gpus: int, request: RequestClass) -> Static | None:
    """The fastest fixed layout; None when nothing fits. Ties go to the first in order of layout."""
    return max(statics(model, gpus, request), key=lambda s: s.rate_per_s, default=None)


def best_switching(
    model: PhaseModel, gpus: int, request: RequestClass, host: HostBuffer, *, requests: float | None = None
) -> SwitchCycle | None:
    """The fastest pair of layouts; None when no two fit."""
    cycles = switchings(model, gpus, request, host, requests=requests)
    return max(cycles, key=lambda c: c.rate_per_s, default=None)


def best_disaggregated(model: PhaseModel, gpus: int, request: RequestClass) -> Disaggregated | None:
    """The fastest split; None when no split fits."""
    return max(disaggregations(model, gpus, request), key=lambda d: d.rate_per_s, default=None)
