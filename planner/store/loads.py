"""What engines reported: samples, kept for a while, and their sums over windows of time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import and_, delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError

from planner.latency import LatencyHistogram
from planner.store.database import Database
from planner.store.plans import wall_clock_us
from planner.store.records import SampleRecord
from planner.store.schema import load_samples

__all__ = ["LoadStore", "LoadWindow"]

KEPT_S = 14 * 86_400.0
"""How long a sample is kept."""
_ROWS = 20_000
"""Samples read at once."""


@dataclass(slots=True)
class _Instance:
    requests: int = 0
    window_us: int = 0
    gauges: dict[str, list[float]] = field(default_factory=dict)


@dataclass(slots=True)
class LoadWindow:
    """What the instances of one workload did in the window that ends at `end_us`."""

    workload: str
    end_us: int
    ttft: LatencyHistogram | None = None
    tpot: LatencyHistogram | None = None
    cold_count: int = 0
    _instances: dict[str, _Instance] = field(default_factory=dict)

    def add(self, sample: SampleRecord) -> None:
        """Count a sample."""
        mine = self._instances.setdefault(sample.instance, _Instance())
        mine.requests += sample.request_count
        mine.window_us += sample.window_us
        for name in ("running", "queued", "kv_usage"):
            if (value := getattr(sample, name)) is not None:
                mine.gauges.setdefault(name, []).append(value)
        if sample.cold:
            self.cold_count += 1
            return
        self.ttft = _sum(self.ttft, sample.ttft_json)
        self.tpot = _sum(self.tpot, sample.tpot_json)

    @property
    def instance_count(self) -> int:
        """Instances that reported."""
        return len(self._instances)

    @property
    def rate_per_s(self) -> float:
        """Sum over the instances of each one's mean rate."""
        return sum(one.requests / (one.window_us / 1e6) for one in self._instances.values())

    def gauge(self, name: str) -> float | None:
        """Sum over the instances of the mean of ``running``, ``queued`` or ``kv_usage``; None: no sample."""
        means = [sum(g) / len(g) for one in self._instances.values() if (g := one.gauges.get(name))]
        return sum(means) if means else None


class LoadStore:
    """All samples of one database.

    Parameters
    ----------
    kept_s
        How long a sample is kept.
    """

    def __init__(
        self, database: Database, clock: Callable[[], int] = wall_clock_us, *, kept_s: float = KEPT_S
    ) -> None:
        self.database = database
        self._clock = clock
        self._kept_us = round(kept_s * 1e6)

    @property
    def oldest_us(self) -> int:
        """Samples that end earlier are not kept."""
        return self._clock() - self._kept_us

    def add(self, tenant: str, fleet: str, samples: Sequence[SampleRecord]) -> int:
        """Store samples, and delete those of the fleet that are too old; returns how many were new."""
        try:
            return self._add(tenant, fleet, samples)
        except IntegrityError:  # the same report came again while it was being stored, and the first has won
            return self._add(tenant, fleet, samples)

    def _add(self, tenant: str, fleet: str, samples: Sequence[SampleRecord]) -> int:
        table = load_samples
        mine = and_(table.c.tenant == tenant, table.c.fleet == fleet)
        by_key = {(sample.end_us, sample.instance): sample for sample in samples}
        with self.database.write() as connection:
            connection.execute(delete(table).where(mine, table.c.end_us < self.oldest_us))
            query = select(table.c.end_us, table.c.instance).where(
                mine, tuple_(table.c.end_us, table.c.instance).in_(list(by_key))
            )
            known = {(row.end_us, row.instance) for row in connection.execute(query)}
            rows = [
                {"tenant": tenant, "fleet": fleet, **asdict(sample)}
                for key, sample in by_key.items()
                if key not in known
            ]
            if rows:
                connection.execute(insert(table), rows)
            return len(rows)

    def windows(
        self, tenant: str, fleet: str, *, start_us: int, end_us: int, step_us: int, limit: int
    ) -> tuple[list[LoadWindow], int | None]:
        """Sums over windows of `step_us`, the first of which begins at `start_us`.

        Returns
        -------
        By end of the window, then workload, of at most `limit` windows with samples; and the begin of the
        window to go on with, None after the last.
        """
        table = load_samples
        found: dict[tuple[int, str], LoadWindow] = {}
        ends: list[int] = []
        row_count = 0
        at: tuple[int, str] = (start_us, "")
        while True:
            query = (
                select(*(column for column in table.c if column.name not in ("tenant", "fleet")))
                .where(
                    table.c.tenant == tenant,
                    table.c.fleet == fleet,
                    tuple_(table.c.end_us, table.c.instance) > tuple_(*at),
                    table.c.end_us > start_us,
                    table.c.end_us <= end_us,
                )
                .order_by(table.c.end_us, table.c.instance)
                .limit(_ROWS)
            )
            with self.database.read() as connection:
                samples = [SampleRecord(**row._mapping) for row in connection.execute(query)]
            for sample in samples:
                end = start_us + -(-(sample.end_us - start_us) // step_us) * step_us
                if end > end_us:
                    return _ordered(found), None
                if not ends or ends[-1] != end:
                    if len(ends) == limit or row_count >= _ROWS:
                        return _ordered(found), end - step_us
                    ends.append(end)
                row_count += 1
                window = found.setdefault((end, sample.workload), LoadWindow(sample.workload, end))
                window.add(sample)
            if len(samples) < _ROWS:
                return _ordered(found), None
            at = (samples[-1].end_us, samples[-1].instance)


def _ordered(found: dict[tuple[int, str], LoadWindow]) -> list[LoadWindow]:
    return [found[key] for key in sorted(found)]


def _sum(total: LatencyHistogram | None, text: str | None) -> LatencyHistogram | None:
    if text is None:
        return total
    more = LatencyHistogram.from_json(text)
    return more if total is None else total + more
