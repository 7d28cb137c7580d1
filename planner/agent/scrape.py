"""What an engine says of itself: whether it answers, and its Prometheus metrics.

Names as vLLM (0.6 to 0.33) and SGLang publish them; where a version renamed one, the first that is there
counts. SGLang has metrics only with ``--enable-metrics``.
"""

from __future__ import annotations

import http.client
import math
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from models.errors import InvalidInput
from planner.latency import LatencyHistogram

__all__ = ["NAMES", "Names", "Scrape", "answers", "between", "read_metrics", "scrape", "taken"]

_HTTP_S = 2.0
_MOST_BYTES = 8 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Of metrics, each in the order of preference; histograms without ``_bucket``, in seconds."""

    requests: tuple[str, ...]
    running: tuple[str, ...]
    queued: tuple[str, ...]
    kv_usage: tuple[str, ...]
    ttft: tuple[str, ...]
    tpot: tuple[str, ...]


NAMES: Mapping[str, Names] = {
    "vllm": Names(
        requests=("vllm:request_success_total",),
        running=("vllm:num_requests_running",),
        queued=("vllm:num_requests_waiting",),
        kv_usage=("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"),
        ttft=("vllm:time_to_first_token_seconds",),
        tpot=(
            "vllm:request_time_per_output_token_seconds", "vllm:time_per_output_token_seconds",
            "vllm:inter_token_latency_seconds",
        ),
    ),
    "sglang": Names(
        requests=("sglang:num_requests_total", "sglang:e2e_request_latency_seconds_count"),
        running=("sglang:num_running_reqs",),
        queued=("sglang:num_queue_reqs",),
        kv_usage=("sglang:token_usage",),
        ttft=("sglang:time_to_first_token_seconds",),
        tpot=("sglang:time_per_output_token_seconds", "sglang:inter_token_latency_seconds"),
    ),
}  # fmt: skip
"""By engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """Metrics of an engine at one moment, None where it has none; histograms count from its start."""

    time_s: float
    requests: float | None
    running: float | None
    queued: float | None
    kv_usage: float | None
    ttft: LatencyHistogram | None
    tpot: LatencyHistogram | None

    @property
    def busy(self) -> bool | None:
        """Whether it has requests; None: it does not say."""
        known = [value for value in (self.running, self.queued) if value is not None]
        return sum(known) > 0 if known else None


def answers(host: str, port: int, path: str = "/health") -> bool:
    """Whether ``GET /health`` is answered with a 2xx."""
    found = _get(host, port, path)
    return found is not None and 200 <= found[0] < 300


def scrape(host: str, port: int, names: Names, now_s: float) -> Scrape | None:
    """Metrics of the engine that answers there; None where they cannot be read."""
    found = _get(host, port, "/metrics")
    if found is None or found[0] != 200:
        return None
    try:
        return read_metrics(found[1].decode("utf-8", "replace"), names, now_s)
    except (ValueError, KeyError, InvalidInput):
        return None


def read_metrics(text: str, names: Names, now_s: float) -> Scrape:
    """Metrics from Prometheus' text format, summed over labels; ValueError for what is not that."""
    from prometheus_client.parser import text_string_to_metric_families

    sums: dict[str, float] = {}
    most: dict[str, float] = {}
    buckets: dict[str, dict[float, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name, value = sample.name, float(sample.value)
            if not math.isfinite(value):
                continue
            if name.endswith("_bucket"):
                into = buckets.setdefault(name.removesuffix("_bucket"), {})
                bound = float(sample.labels["le"])
                into[bound] = into.get(bound, 0.0) + value
            sums[name] = sums.get(name, 0.0) + value
            most[name] = max(most.get(name, value), value)

    def first(known: Mapping[str, float], wanted: tuple[str, ...]) -> float | None:
        return next((known[name] for name in wanted if name in known), None)

    def histogram(wanted: tuple[str, ...]) -> LatencyHistogram | None:
        return next(
            (LatencyHistogram.from_cumulative(buckets[name]) for name in wanted if name in buckets), None
        )

    return Scrape(
        time_s=now_s, requests=first(sums, names.requests), running=first(sums, names.running),
        queued=first(sums, names.queued), kv_usage=first(most, names.kv_usage), ttft=histogram(names.ttft),
        tpot=histogram(names.tpot),
    )  # fmt: skip


def between(before: LatencyHistogram | None, after: LatencyHistogram | None) -> LatencyHistogram | None:
    """What was counted between two scrapes; None where the engine began anew, or has other bounds."""
    if before is None or after is None or before.upper_bounds_ms != after.upper_bounds_ms:
        return None
    counts = tuple(b - a for a, b in zip(before.counts, after.counts, strict=True))
    return None if min(counts) < 0 else LatencyHistogram(after.upper_bounds_ms, counts)


def taken(host: str, port: int) -> bool:
    """Whether anything listens there."""
    try:
        socket.create_connection((host, port), timeout=_HTTP_S).close()
    except OSError:
        return False
    return True


def _get(host: str, port: int, path: str) -> tuple[int, bytes] | None:
    """Status and body of an answer, by no proxy; None where there is none in time."""
    connection = http.client.HTTPConnection(host, port, timeout=_HTTP_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
