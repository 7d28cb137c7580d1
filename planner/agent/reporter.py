"""Reports of what the engines on a node did since the last report."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from google.protobuf import duration_pb2, timestamp_pb2

from planner.agent.scrape import NAMES, Scrape, between, scrape
from planner.agent.slot import Slot
from planner.service.protos import load_pb2

__all__ = ["Reporter", "sample_between"]


class Reporter:
    """Remembers the last scrape of each instance.

    Parameters
    ----------
    wall_s
        Seconds since the epoch.
    """

    def __init__(self, warm_up_s: float, wall_s: Callable[[], float] = time.time) -> None:
        self._warm_up_s = warm_up_s
        self._wall_s = wall_s
        self._last: dict[str, Scrape] = {}

    def samples(self, slots: Iterable[Slot], now_s: float) -> list[load_pb2.LoadSample]:
        """One sample for each instance that answered at both ends of the window; `now_s` is monotonic."""
        samples, seen = [], {}
        for slot in slots:
            names = NAMES.get(slot.assigned.instance.engine)
            if names is None or slot.state != "ready" or slot.command is None or slot.command.port is None:
                continue
            found = scrape(slot.config.engine_host, slot.command.port, names, self._wall_s())
            if found is None:
                continue
            seen[slot.id] = found
            before = self._last.get(slot.id)
            if before is None or slot.ready_since_s is None:
                continue
            window_s = found.time_s - before.time_s
            cold = now_s - window_s < slot.ready_since_s + self._warm_up_s
            sample = sample_between(slot.id, before, found, cold=cold)
            if sample is not None:
                samples.append(sample)
        self._last = seen
        return samples


def sample_between(
    instance_id: str, before: Scrape, after: Scrape, *, cold: bool
) -> load_pb2.LoadSample | None:
    """What an engine did between two scrapes; None where it began anew, or does not count requests."""
    if before.requests is None or after.requests is None or after.time_s <= before.time_s:
        return None
    count = round(after.requests - before.requests)
    if count < 0:
        return None
    sample = load_pb2.LoadSample(
        instance_id=instance_id, request_count=count, cold_start=cold, running_count=after.running,
        queued_count=after.queued, kv_usage_ratio=after.kv_usage,
        end_time=timestamp_pb2.Timestamp(), window=duration_pb2.Duration(),
    )  # fmt: skip
    sample.end_time.FromNanoseconds(round(after.time_s * 1e9))
    sample.window.FromNanoseconds(round((after.time_s - before.time_s) * 1e9))
    for name in ("ttft", "tpot"):
        found = between(getattr(before, name), getattr(after, name))
        if found is not None:
            getattr(sample, name).CopyFrom(
                load_pb2.LatencyHistogram(upper_bounds_ms=found.upper_bounds_ms, counts=found.counts)
            )
    return sample
