"""The demand to plan for, and the fleet document that says so."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from models.document import read_document
from planner.fleet import read_fleet
from planner.fleet.trace_entries import TraceEntry, lengths_content, read_requests
from planner.rebalance.clean import clean
from planner.rebalance.forecast import Forecast, evenly, forecast
from planner.rebalance.rules import Rules
from planner.rebalance.series import Measured, Series, Wanted

__all__ = ["Outlook", "look_ahead", "moving_little", "wanted_of", "with_rates", "without_nodes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is expected of one workload.

    Parameters
    ----------
    forecast
        None when the measurements must not be planned on: see `stale`.
    rate_per_s, ttft_ms, tpot_ms
        Last good measurements; None where there is none.
    discarded, stale
        See `planner.rebalance.clean.Cleaned`.
    factor
        How many times what is expected is planned for: see `planner.rebalance.shortfall`.
    """

    workload: str
    forecast: Forecast | None
    rate_per_s: float | None
    ttft_ms: float | None
    tpot_ms: float | None
    discarded: tuple[str, ...]
    stale: str
    factor: float = 1.0


def wanted_of(document: str) -> tuple[Wanted, ...]:
    """Return the workloads of a self-contained fleet document that must be measured."""
    fleet = read_fleet(document, source="the registered fleet", allow_files=False)
    return tuple(
        Wanted(
            workload=workload.name, model=workload.model, ttft_percentile=workload.ttft.percentile,
            tpot_percentile=workload.tpot.percentile,
        )
        for workload in fleet.workloads
    )  # fmt: skip


def look_ahead(workload: str, measured: Measured, rules: Rules, *, now_s: float) -> Outlook:
    """Clean what was measured of a workload, and forecast its peak."""
    cleaned = clean(
        measured, now_s=now_s, warm_up_s=rules.warm_up_s, stale_s=rules.stale_s, fewest=rules.fewest_samples
    )
    expected = None
    if not cleaned.stale:
        expected = forecast(
            evenly(cleaned.rate_per_s, rules.step_s),
            season=max(2, round(rules.season_s / rules.step_s)),
            horizon=max(1, round(rules.horizon_s / rules.step_s)),
            confidence=rules.confidence,
        )
    rate = cleaned.rate_per_s
    return Outlook(
        workload=workload, forecast=expected, rate_per_s=float(rate.values[-1]) if len(rate) else None,
        ttft_ms=_latest(measured.ttft_ms, now_s, rules.stale_s),
        tpot_ms=_latest(measured.tpot_ms, now_s, rules.stale_s), discarded=cleaned.discarded,
        stale=cleaned.stale,
    )  # fmt: skip


def with_rates(document: str, rate_per_s: Mapping[str, float]) -> str:
    """Return a self-contained fleet document with other rates, the same for all time.

    What was measured replaces what the document says about demand: rates, shapes over periods, the percentile
    of a trace, and when its requests came, which is not now. All else stays, also the lengths of a trace.
    """
    entry = json.loads(json.dumps(read_document(document, source="the registered fleet").value))
    for workload in entry["workloads"]:
        if (trace := workload.pop("trace", None)) is not None:
            lengths = read_requests(TraceEntry.model_validate(trace)).lengths()
            workload["lengths"] = lengths_content(lengths, trace["source"])
        workload["rate"] = f"{rate_per_s[workload.get('name') or workload['model']]!r}/s"
        workload["scale"] = 1.0
        workload.pop("shape", None)
    entry.pop("periods", None)
    entry.get("policies", {}).pop("demand", None)
    return json.dumps(entry, ensure_ascii=False, sort_keys=True)


def without_nodes(document: str, lost: Collection[str]) -> str:
    """Return a self-contained fleet document in which these nodes are out of service.

    Names that no pool has are left out: of a fleet that was larger once.
    """
    fleet = read_fleet(document, source="the registered fleet", allow_files=False)
    entry = json.loads(json.dumps(read_document(document, source="the registered fleet").value))
    for pool, written in zip(fleet.pools, entry["pools"], strict=True):
        gone = {index for name in lost if (index := pool.node_index(name)) >= 0}
        if gone:
            written["unavailable"] = sorted({*pool.unavailable, *gone})
    return json.dumps(entry, ensure_ascii=False, sort_keys=True)


def moving_little(document: str) -> str:
    """Return a self-contained fleet document that would rather move little than cost little."""
    fleet = read_fleet(document, source="the registered fleet", allow_files=False)
    entry = json.loads(json.dumps(read_document(document, source="the registered fleet").value))
    goals = [goal for goal in fleet.goals if goal != "movement"]
    entry["goals"] = [goals[0], "movement", *goals[1:]]
    return json.dumps(entry, ensure_ascii=False, sort_keys=True)


def _latest(series: Series | None, now_s: float, stale_s: float) -> float | None:
    """The newest measured value that is not too old."""
    if series is None:
        return None
    good = series.only((series.values == series.values) & (series.times_s >= now_s - stale_s))
    return float(good.values[-1]) if len(good) else None
