"""A whole plan replayed: every workload at the load it states and at the most the plan promises.

Arrivals are random; where the document names a trace, its own arrivals are replayed as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from planner.candidates.candidate import Candidate
from planner.executors import Executor
from planner.fleet.fleet import Fleet, ServedWorkload, Target
from planner.plan import Instance, Plan, WorkloadOutcome
from planner.plan.verification import RECORDED, LatencySpread, Load, Replayed
from planner.verify.group import Latencies, replay_streams
from planner.verify.stream import Stream, dealt

__all__ = ["Group", "Replayer", "groups_of", "peak_factor", "streams_of"]

Floats = npt.NDArray[np.float64]

ALL_REQUESTS = 600_000
"""Simulated in one pass over a plan: about a second."""
MOST_REQUESTS, LEAST_REQUESTS = 20_000, 3_000
"""Of one simulation: the p95 of the fewer is off by about 2 %."""
NEVER_MS = 1e12
"""Stands for a request that is never served: the plan document has no infinity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Instances of a plan that differ in nothing but their places.

    Parameters
    ----------
    rate_per_s
        Requests per second that each of them gets.
    count
        How many there are.
    """

    candidate: Candidate
    rate_per_s: float
    count: int


def groups_of(instances: Sequence[Instance], candidates: Sequence[Candidate]) -> dict[str, list[Group]]:
    """The instances by workload; those that get no requests are left out."""
    by_shape = {candidate.shape: candidate for candidate in candidates}
    counted: dict[tuple[str, ...], list[Instance]] = {}
    for instance in instances:
        counted.setdefault(instance.shape, []).append(instance)
    found: dict[str, list[Group]] = {}
    for shape, mine in counted.items():
        rate = mine[0].expected.rate_per_s
        if rate > 0:
            group = Group(candidate=by_shape[shape], rate_per_s=rate, count=len(mine))
            found.setdefault(mine[0].workload, []).append(group)
    return found


def peak_factor(fleet: Fleet, outcome: WorkloadOutcome) -> float:
    """How much more than at the stated rate each instance gets at the most the plan promises.

    Demand with headroom on what the worst loss leaves; never beyond what the instances can carry.
    """
    stated = fleet.workload(outcome.name).rate_per_s
    carried = min(stated, outcome.capacity_per_s)
    if carried <= 0 or outcome.surviving_capacity_per_s <= 0:
        return 1.0
    load = min(1.0, outcome.demand_per_s / outcome.surviving_capacity_per_s)
    return max(1.0, load * outcome.capacity_per_s / carried)


def streams_of(
    fleet: Fleet, workload: ServedWorkload, rate_per_s: float, count: int, *, recorded: bool, seed: int
) -> tuple[Stream, ...]:
    """What instances of a workload planned for a rate are sent; nothing where nothing was recorded."""
    if not recorded:
        bursts = workload.arrivals()
        return (Stream.draw(workload.lengths, count, name=workload.name, seed=seed, burstiness=bursts),)
    part = None
    if workload.recorded is not None:
        part = workload.recorded.part(0 if fleet.periods is None else fleet.periods.placed)
    return () if part is None else dealt(part, rate_per_s, count, name=workload.name, seed=seed)


def _key(candidate: Candidate, rate_per_s: float, count: int, recorded: bool) -> tuple[object, ...]:
    """What a simulation depends on within one fleet and seed."""
    settings = (candidate.max_num_seqs, candidate.max_num_batched_tokens, candidate.handover)
    return candidate.shape, settings, float(rate_per_s), count, recorded


@dataclass(kw_only=True)
class Replayer:
    """Replays plans of one fleet; what was simulated once is remembered.

    Parameters
    ----------
    seed
        Of arrivals and lengths.
    executor
        Runs the simulations of a replay side by side; None: they run here, one after the other.
    """

    fleet: Fleet
    seed: int
    executor: Executor | None = None
    _streams: dict[tuple[str, int], tuple[Stream, ...]] = field(default_factory=dict)
    _seen: dict[tuple[object, ...], Latencies | None] = field(default_factory=dict)

    def replay(self, plan: Plan, candidates: Sequence[Candidate]) -> tuple[Replayed, ...]:
        """Every workload that something serves, at both loads where they differ, then as recorded."""
        groups = groups_of(plan.instances, candidates)
        count = self.requests_each(sum(map(len, groups.values())))
        loads: list[tuple[list[Group], Load, float, float]] = []
        for outcome in plan.workloads:
            mine = groups.get(outcome.name, [])
            if not mine:
                continue
            kinds: tuple[tuple[Load, Load], ...] = (("stated", "peak"),)
            if self.is_recorded(outcome.name):
                kinds += (("trace", "trace_peak"),)
            stated = min(self.fleet.workload(outcome.name).rate_per_s, outcome.capacity_per_s)
            factor = peak_factor(self.fleet, outcome)
            peak = min(outcome.demand_per_s, outcome.surviving_capacity_per_s)
            for whole, worst in kinds:
                loads.append((mine, whole, 1.0, stated))
                if factor > 1.0 + 1e-9:
                    loads.append((mine, worst, factor, peak))
        if self.executor is not None:
            wanted = [
                (g.candidate, g.rate_per_s * factor, load in RECORDED)
                for mine, load, factor, _ in loads
                for g in mine
            ]
            self._ahead(wanted, count)
        return tuple(self._replayed(mine, load, factor, rate, count) for mine, load, factor, rate in loads)

    def is_recorded(self, workload: str) -> bool:
        """Whether a workload has recorded requests in the period that is placed."""
        return bool(
            streams_of(self.fleet, self.fleet.workload(workload), 1.0, 1, recorded=True, seed=self.seed)
        )

    def requests_each(self, groups: int) -> int:
        """Requests of one simulation when a plan has so many groups."""
        return min(MOST_REQUESTS, max(LEAST_REQUESTS, ALL_REQUESTS // max(2 * groups, 1)))

    def latencies(
        self, candidate: Candidate, rate_per_s: float, count: int, *, recorded: bool = False
    ) -> Latencies | None:
        """What the requests of an instance see at a rate; None where it cannot hold one of them."""
        key = _key(candidate, rate_per_s, count, recorded)
        if key not in self._seen:
            streams = self._sent(self.fleet.workload(candidate.workload), rate_per_s, count, recorded)
            self._seen[key] = replay_streams(self.fleet, candidate, streams, rate_per_s)
        return self._seen[key]

    def _ahead(self, wanted: Sequence[tuple[Candidate, float, bool]], count: int) -> None:
        """Have what has not been simulated yet simulated by the executor."""
        from planner.verify.ahead import Simulation, simulate_all

        assert self.executor is not None
        new = [
            Simulation(candidate=candidate, rate_per_s=rate, count=count, recorded=recorded)
            for candidate, rate, recorded in wanted
            if _key(candidate, rate, count, recorded) not in self._seen
        ]
        for one, seen in simulate_all(new, self.fleet, self.seed, self.executor).items():
            self._seen[_key(one.candidate, one.rate_per_s, one.count, one.recorded)] = seen

    def _sent(
        self, workload: ServedWorkload, rate_per_s: float, count: int, recorded: bool
    ) -> tuple[Stream, ...]:
        """As `streams_of`; the draw that serves every rate is kept."""
        key = (workload.name, count)
        if recorded or key not in self._streams:
            sent = streams_of(self.fleet, workload, rate_per_s, count, recorded=recorded, seed=self.seed)
            if recorded:
                return sent
            self._streams[key] = sent
        return self._streams[key]

    def _replayed(
        self, groups: Sequence[Group], load: Load, factor: float, rate_per_s: float, count: int
    ) -> Replayed:
        """One workload, each instance getting `factor` times its stated share."""
        workload = self.fleet.workload(groups[0].candidate.workload)
        recorded = load in RECORDED
        seen = [self.latencies(g.candidate, g.rate_per_s * factor, count, recorded=recorded) for g in groups]
        entries = [g.rate_per_s * g.count for g in groups]
        whole = sum(r for g, r in zip(groups, entries, strict=True) if g.candidate.role != "decode")
        ttft, tpot = _Mixture(), _Mixture()
        kept = {"mixed": 0.0, "prefill": 0.0, "decode": 0.0}
        for group, each, weight in zip(groups, seen, entries, strict=True):
            role = group.candidate.role
            # a request that the cache cannot hold waits for ever
            first = each.ttft_ms if each is not None else np.array([np.inf])
            further = each.tpot_ms if each is not None else np.array([np.inf])
            good = np.ones(1, np.bool_)
            if first is not None and role != "decode":
                ttft.add(first, weight)
                good = good & (first <= workload.ttft.limit_ms)
            if further is not None and role != "prefill":
                tpot.add(further[~np.isnan(further)], weight)
                good = good & ((further <= workload.tpot.limit_ms) | np.isnan(further))
            kept[role] += weight * float(good.mean())
        apart = sum(e for g, e in zip(groups, entries, strict=True) if g.candidate.role == "prefill")
        # the two phases of a request meet their targets independently
        pairs = kept["prefill"] * kept["decode"] / apart if apart > 0 else 0.0
        spreads = ttft.spread(workload.ttft), tpot.spread(workload.tpot)
        assert spreads[0] is not None
        return Replayed(
            workload=workload.name,
            load=load,
            rate_per_s=rate_per_s,
            requests=ttft.count,
            ttft=spreads[0],
            tpot=spreads[1],
            attainment=(kept["mixed"] + pairs) / whole,
            met=all(spread.met for spread in spreads if spread is not None),
        )


class _Mixture:
    """Samples of several groups, each group with the weight of its share of the requests."""

    def __init__(self) -> None:
        self.values: list[Floats] = []
        self.weights: list[Floats] = []
        self.count = 0

    def add(self, values: Floats, weight: float) -> None:
        if values.size:
            self.values.append(values)
            self.weights.append(np.full(values.size, weight / values.size))
            self.count += values.size

    def spread(self, target: Target) -> LatencySpread | None:
        """Percentiles by the weights; None without any sample."""
        if not self.count:
            return None
        values, weights = np.concatenate(self.values), np.concatenate(self.weights)
        order = np.argsort(values, kind="stable")
        values, below = values[order], np.cumsum(weights[order])
        below /= below[-1]

        def at(percentile: float) -> float:
            """The least value that this share of the requests does not exceed."""
            index = int(np.searchsorted(below, percentile / 100.0 - 1e-12))
            return float(min(values[min(index, values.size - 1)], NEVER_MS))

        value = at(target.percentile)
        return LatencySpread(
            p50_ms=at(50.0),
            p95_ms=at(95.0),
            p99_ms=at(99.0),
            percentile=target.percentile,
            at_percentile_ms=value,
            target_ms=target.limit_ms,
            met=value <= target.limit_ms,
        )
