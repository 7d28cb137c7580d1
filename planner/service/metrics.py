"""What Prometheus is told about a server.

The counts and durations are kept here as they happen; the state of the store and of the workers is looked up
for each scrape. Servers that share a store each report the whole of it: take the maximum over them, not the
sum.
"""

from __future__ import annotations

import importlib.metadata
import logging
import threading
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, Info, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from planner.store.plans import PlanStore
from planner.store.records import PlanState
from planner.store.statistics import Statistics, statistics

__all__ = ["Metrics"]

log = logging.getLogger(__name__)

_RPC_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0)
_SOLVE_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_GAP_BUCKETS = (0.0, 0.0001, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Metrics:
    """The metrics of one server, in `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Info("fulcrum_build", "The Fulcrum that runs here.", registry=self.registry).info(
            {"version": importlib.metadata.version("fulcrum-planner")}
        )
        self._rpc = Histogram(
            "fulcrum_rpc_duration_seconds",
            "Time to answer an RPC, by method and code of its end; of a stream, how long it was open.",
            ("method", "code"), buckets=_RPC_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._solve = Histogram(
            "fulcrum_solve_duration_seconds",
            "Time from taking a plan or a problem to its outcome, by what it was and the state it ended in.",
            ("kind", "state"), buckets=_SOLVE_BUCKETS_S, registry=self.registry,
        )  # fmt: skip
        self._gap = Histogram(
            "fulcrum_plan_gap_ratio",
            "Relative gap between a finished plan and the best there can be: that of its widest goal.",
            buckets=_GAP_BUCKETS, registry=self.registry,
        )  # fmt: skip

    def watch(self, store: PlanStore, worker_restarts: Callable[[], int]) -> None:
        """Report also the plans of a store, and how often workers had to be started again."""
        self.registry.register(_Watched(store, worker_restarts))

    def rpc_ended(self, method: str, code: str, seconds: float) -> None:
        """Count an RPC; `method` as in ``/fulcrum.v1.PlanningService/GetPlan``, `code` such as ``OK``."""
        self._rpc.labels(method, code).observe(seconds)

    def solve_ended(self, kind: str, state: str, seconds: float, gap: float | None = None) -> None:
        """Count a solve; `kind` is ``plan`` or ``assignment``, `gap` that of a plan where it is known."""
        self._solve.labels(kind, state).observe(seconds)
        if gap is not None:
            self._gap.observe(gap)


class _Watched(Collector):
    """What is looked up for each scrape. One scrape at a time asks the store."""

    def __init__(self, store: PlanStore, worker_restarts: Callable[[], int]) -> None:
        self._store = store
        self._worker_restarts = worker_restarts
        self._asking = threading.Lock()

    def describe(self) -> Iterator[Metric]:
        """The families without their values, so that nothing is asked when the collector is registered."""
        yield from _families(None)
        yield _restarts(0)

    def collect(self) -> Iterator[Metric]:
        """The families; a store that cannot be asked is reported as such, the rest goes on."""
        try:
            with self._asking:
                found = statistics(self._store)
        except Exception:
            log.exception("the store cannot be asked for metrics")
            found = None
        yield from _families(found)
        yield _restarts(self._worker_restarts())


def _families(found: Statistics | None) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "fulcrum_store_up", "1 when the store answered this scrape.", value=0 if found is None else 1
    )
    plans = GaugeMetricFamily("fulcrum_plans", "Plans in the store by state.", labels=("state",))
    length = GaugeMetricFamily(
        "fulcrum_queue_plans", "Plans that wait to be made, those of servers that died included."
    )
    oldest = GaugeMetricFamily(
        "fulcrum_queue_oldest_seconds", "Age of the request that waits the longest; 0 when none waits."
    )
    if found is not None:
        for state in PlanState:
            plans.add_metric((state.value,), found.count_by_state.get(state, 0))
        length.add_metric((), found.waiting_count)
        oldest.add_metric((), found.oldest_waiting_s)
    yield from (plans, length, oldest)


def _restarts(count: int) -> Metric:
    return CounterMetricFamily(
        "fulcrum_worker_restarts",
        "Worker processes started in the place of one that died or was killed.",
        value=count,
    )
