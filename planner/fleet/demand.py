"""How much is asked for, and when: rates of workloads over the fleet's periods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.errors import InvalidInput
from models.workload import Trace
from planner.fleet.fleet import Periods, ServedModel, ServedWorkload
from planner.fleet.recorded import Recorded
from planner.fleet.schema import DemandEntry, PeriodsEntry

if TYPE_CHECKING:
    from planner.fleet.resolve import Resolver

__all__ = ["Demand", "check_delays", "make_periods", "placed_at", "trace_demand"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a workload asks for: `rate_per_s` times `shape` in each period; no shape: always the same.

    `recorded`: the requests it was read from.
    """

    rate_per_s: float
    shape: tuple[float, ...] | None = None
    recorded: Recorded | None = None


def trace_demand(trace: Trace, demand: DemandEntry | None, periods: PeriodsEntry | None) -> Demand:
    """Return the demand a trace states: its mean or a percentile of its windows, as a whole or by period.

    Raises
    ------
    InvalidInput
        The trace is shorter than the periods, or than one window.
    """
    if periods is None:
        rate = _planned(trace, demand, 0.0, None)
        return Demand(rate_per_s=rate, recorded=Recorded(trace=trace, rates_per_s=(rate,)))
    length = periods.length / 1e3
    if trace.duration_s < length * periods.count * 0.99:
        raise InvalidInput(
            f"the trace lasts {trace.duration_s:.0f} s, {periods.count} periods of {length:g} s are asked "
            "for: state a shape beside it, or fewer periods",
            source=trace.source,
        )
    rates = np.array([_planned(trace, demand, n * length, length) for n in range(periods.count)])
    most = float(rates.max())
    if most <= 0:
        raise InvalidInput("nothing arrives in any of the periods", source=trace.source)
    return Demand(
        rate_per_s=most,
        shape=tuple((rates / most).tolist()),
        recorded=Recorded(trace=trace, rates_per_s=tuple(rates.tolist()), period_s=length),
    )


def _planned(trace: Trace, demand: DemandEntry | None, begin_s: float, length_s: float | None) -> float:
    """Rate planned for in a part of a trace (None: all of it)."""
    if length_s is None and demand is None:
        return trace.rate_per_s
    length = trace.duration_s if length_s is None else length_s
    offsets = trace.arrivals_s - trace.arrivals_s[0]
    inside = offsets[(offsets >= begin_s) & (offsets < begin_s + length)] - begin_s
    if demand is None:
        return float(inside.size / length)
    window = demand.window / 1e3
    count = int(length / window + 1e-9)
    if count < 1:
        raise InvalidInput(f"windows of {window:g} s are longer than {length:g} s", source=trace.source)
    arrivals = np.bincount((inside[inside < count * window] / window).astype(np.int64), minlength=count)
    # The least rate that the percentile asked for of the windows does not exceed.
    return float(np.percentile(arrivals, demand.percentile, method="inverted_cdf") / window)


def make_periods(
    entry: PeriodsEntry, workloads: Sequence[ServedWorkload], models: Sequence[ServedModel]
) -> Periods:
    """Return the periods; the one that is placed is stated, or has most work: tokens times parameters."""
    size = {model.name: float(model.architecture.active_parameters) for model in models}
    work = np.zeros(entry.count)
    for workload in workloads:
        tokens = workload.lengths.mean_input_tokens + workload.lengths.mean_output_tokens
        work += np.array(workload.period_rates_per_s) * tokens * size.get(workload.model, 1.0)
    return Periods(
        count=entry.count,
        length_s=entry.length / 1e3,
        placed=int(np.argmax(work)) if entry.current is None else entry.current,
        start_delay_s=entry.start_delay / 1e3,
        role_switch_s=None if entry.role_switch is None else entry.role_switch / 1e3,
        reshard_s=None if entry.reshard is None else entry.reshard / 1e3,
    )


def check_delays(resolver: Resolver, entry: PeriodsEntry) -> None:
    """Refuse a change that saves nothing to take longer than starting from nothing."""
    longest, of = entry.start_delay, "start_delay"
    for name in ("reshard", "role_switch"):
        stated = getattr(entry, name)
        if stated is not None and stated > longest:
            resolver.fail(
                f"takes longer than {of}, which does more: at most {longest / 1e3:g}s", ("periods", name)
            )
        if stated is not None:
            longest, of = stated, name


def placed_at(workload: ServedWorkload, period: int) -> ServedWorkload:
    """Return the workload with the rate of a period."""
    return replace(workload, rate_per_s=workload.period_rates_per_s[period])
