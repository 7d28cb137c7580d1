"""Reported samples, checked, and how far they are from what the plan predicts."""

from __future__ import annotations

import math
import time

from models.errors import InvalidInput
from planner.latency import LatencyHistogram
from planner.rollout import Seat
from planner.service.errors import invalid_argument
from planner.service.protos import engine_service_pb2, load_pb2
from planner.service.rollouts import RolloutView
from planner.store.records import SampleRecord

__all__ = ["histogram_message", "read_samples"]

MOST_SAMPLES = 1000
LONGEST_WINDOW_S = 3600.0
AHEAD_S = 300.0
"""How far the clock of an engine may be ahead."""
FEWEST_REQUESTS = 20
"""Below so many requests a percentile says nothing about the plan."""
_BOUNDS = 512
_GAUGES = ("running_count", "queued_count", "kv_usage_ratio")


def read_samples(
    request: engine_service_pb2.ReportLoadRequest, engine: str, view: RolloutView | None, oldest_us: int
) -> tuple[list[SampleRecord], list[str]]:
    """The samples of a report as the store keeps them, and what was left out, for people.

    Raises
    ------
    StatusError
        INVALID_ARGUMENT for what can never be right.
    """
    if len(request.samples) > MOST_SAMPLES:
        raise invalid_argument("samples", f"{len(request.samples)} samples; send at most {MOST_SAMPLES}")
    seats = {} if view is None else {seat.id: seat for seat in view.progress.body.seats}
    latest_us = round((time.time() + AHEAD_S) * 1e6)
    kept, discarded = [], []
    for i, sample in enumerate(request.samples):
        record = _checked(sample, f"samples[{i}]", engine, seats.get(sample.instance_id), view)
        if sample.instance_id not in seats:
            discarded.append(f"{sample.instance_id[:80]} is no instance of the last rollout")
        elif record.end_us > latest_us:
            discarded.append(f"{sample.instance_id}: a sample from the future; check the clock")
        elif record.end_us < oldest_us:
            discarded.append(f"{sample.instance_id}: a sample older than samples are kept")
        else:
            kept.append(record)
    return kept, discarded


def histogram_message(histogram: LatencyHistogram | None) -> load_pb2.LatencyHistogram | None:
    """A histogram for an answer."""
    if histogram is None:
        return None
    return load_pb2.LatencyHistogram(upper_bounds_ms=histogram.upper_bounds_ms, counts=histogram.counts)


def _checked(
    sample: load_pb2.LoadSample, field: str, engine: str, seat: Seat | None, view: RolloutView | None
) -> SampleRecord:
    window_us = sample.window.seconds * 1_000_000 + sample.window.nanos // 1000
    if not 0 < window_us <= LONGEST_WINDOW_S * 1e6:
        raise invalid_argument(f"{field}.window", f"is not above 0 and up to {LONGEST_WINDOW_S:g} s")
    if not 0 < sample.end_time.seconds < 2**40:
        raise invalid_argument(f"{field}.end_time", "is missing, or no time")
    if not 0 <= sample.request_count < 2**53:
        raise invalid_argument(f"{field}.request_count", f"{sample.request_count} is no count")
    gauges = {name: getattr(sample, name) if sample.HasField(name) else None for name in _GAUGES}
    for name, value in gauges.items():
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise invalid_argument(f"{field}.{name}", f"{value} is not a number from 0")
    ttft = _histogram(sample, "ttft", field)
    tpot = _histogram(sample, "tpot", field)
    drifts: tuple[float | None, float | None] = (None, None)
    if seat is not None and view is not None and not sample.cold_start:
        drifts = _drifts(seat, view, ttft, tpot)
    return SampleRecord(
        end_us=sample.end_time.seconds * 1_000_000 + sample.end_time.nanos // 1000,
        instance=sample.instance_id, workload="" if seat is None else seat.instance.workload, engine=engine,
        window_us=window_us, request_count=sample.request_count, running=gauges["running_count"],
        queued=gauges["queued_count"], kv_usage=gauges["kv_usage_ratio"],
        ttft_json=None if ttft is None else ttft.to_json(),
        tpot_json=None if tpot is None else tpot.to_json(),
        ttft_drift=drifts[0], tpot_drift=drifts[1], cold=sample.cold_start,
    )  # fmt: skip


def _histogram(sample: load_pb2.LoadSample, name: str, field: str) -> LatencyHistogram | None:
    if not sample.HasField(name):
        return None
    message = getattr(sample, name)
    if len(message.upper_bounds_ms) > _BOUNDS:
        raise invalid_argument(f"{field}.{name}", f"has more than {_BOUNDS} bounds")
    try:
        return LatencyHistogram(tuple(message.upper_bounds_ms), tuple(message.counts))
    except InvalidInput as error:
        raise invalid_argument(f"{field}.{name}", error.message) from None


def _drifts(
    seat: Seat, view: RolloutView, ttft: LatencyHistogram | None, tpot: LatencyHistogram | None
) -> tuple[float | None, float | None]:
    """Reported over predicted TTFT and TPOT, minus one, at the percentiles the plan predicts."""
    target = view.progress.body.targets.get(seat.instance.workload)
    if target is None:
        return None, None
    expected = seat.instance.expected
    return (
        _drift(ttft, target.ttft_percentile, expected.ttft_ms),
        _drift(tpot, target.tpot_percentile, expected.tpot_ms),
    )


def _drift(found: LatencyHistogram | None, percentile: float, predicted_ms: float | None) -> float | None:
    if found is None or not predicted_ms or found.total < FEWEST_REQUESTS:
        return None
    reported = found.quantile_ms(percentile)
    return None if reported is None else reported / predicted_ms - 1
