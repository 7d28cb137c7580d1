"""What Prometheus is told about engines and rollouts, looked up for each scrape."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from planner.store.engine_statistics import EngineStatistics, engine_statistics
from planner.store.plans import PlanStore
from planner.store.records import RolloutState

__all__ = ["EngineMetrics"]

log = logging.getLogger(__name__)


class EngineMetrics(Collector):
    """Of one store. Families are without values where it does not answer."""

    def __init__(self, store: PlanStore) -> None:
        self._store = store

    def describe(self) -> Iterator[Metric]:
        """The families without their values."""
        yield from _families(None)

    def collect(self) -> Iterator[Metric]:
        """The families."""
        try:
            found = engine_statistics(self._store)
        except Exception:
            log.exception("the store cannot be asked for metrics of engines")
            found = None
        yield from _families(found)


def _families(found: EngineStatistics | None) -> Iterator[Metric]:
    engines = GaugeMetricFamily(
        "fulcrum_engines", "Registered engines, by whether they are heard of.", labels=("state",)
    )
    rollouts = GaugeMetricFamily("fulcrum_rollouts", "Last rollouts of fleets, by state.", labels=("state",))
    age = GaugeMetricFamily(
        "fulcrum_promoted_plan_age_seconds", "Since the promotion of the plan that is promoted the longest."
    )
    drift = GaugeMetricFamily(
        "fulcrum_latency_drift_ratio",
        "Latency reported over latency predicted, minus one: mean and largest of the last ten minutes.",
        labels=("latency", "statistic"),
    )
    if found is not None:
        engines.add_metric(("live",), found.live_count)
        engines.add_metric(("lost",), found.lost_count)
        for state in RolloutState:
            rollouts.add_metric((state.value,), found.rollout_counts.get(state, 0))
        if found.oldest_plan_s is not None:
            age.add_metric((), found.oldest_plan_s)
        for name, (mean, most) in found.drifts.items():
            drift.add_metric((name, "mean"), mean)
            drift.add_metric((name, "max"), most)
    yield from (engines, rollouts, age, drift)
