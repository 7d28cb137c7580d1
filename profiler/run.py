"""A profiling run: seeds for every space, then the worst-known space until the budget or the tolerance
is reached.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import FulcrumError, InvalidInput, Unavailable
from models.profiles.store import MANIFEST_FILE, read_profile, recover_folder
from profiler.adaptive import Frontier, Limits, most_urgent
from profiler.collect import entries_of, point_key
from profiler.devices.device import Device
from profiler.job import Point
from profiler.journal import Entry, Journal, journal_path
from profiler.measurement import Measurement
from profiler.registry import choose
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort, summarize

__all__ = ["Outcome", "Progress", "RunOptions", "measure_profile"]

_REFUSALS_IN_A_ROW = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What to measure, for how long, and where to.

    Parameters
    ----------
    out
        Profile folder. An unfinished run is resumed from the journal beside it, a finished one continued.
    budget_seconds
        Wall time for measuring, the time before an interruption included.
    tolerance
        A space is good enough once its mean leave-one-out error is below.
    operations
        Operation names or families; () = all.
    fresh
        Discard an unfinished run, and ignore what the profile holds already.
    allow_contention
        Measure although others use the GPU; such points are marked.
    """

    out: Path
    budget_seconds: float = 600.0
    tolerance: float = 0.05
    operations: tuple[str, ...] = ()
    request: Request = field(default_factory=Request)
    seed: int = 0
    fresh: bool = False
    allow_contention: bool = False

    def __post_init__(self) -> None:
        if not self.budget_seconds > 0:
            raise InvalidInput(f"the budget must be positive, got {self.budget_seconds:g} s")
        if not 0 < self.tolerance < 1:
            raise InvalidInput(f"the tolerance must lie between 0 and 1, got {self.tolerance:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Handed to the caller after every point.

    Parameters
    ----------
    space
        What was just measured.
    worst
        The space known worst and its error; infinite while seeds are missing.
    """

    spent_seconds: float
    budget_seconds: float
    points: int
    refused: int
    space: str
    worst: tuple[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run found.

    Parameters
    ----------
    entries
        Every point tried in this and earlier runs of the profile.
    errors
        Space name → mean leave-one-out error (NaN where it cannot be told).
    stopped
        ``tolerance`` (every space is good enough or used up), ``budget``, or ``cancelled``.
    """

    entries: tuple[Entry, ...]
    errors: dict[str, float]
    unmeasurable: tuple[Unmeasurable, ...]
    stopped: str
    spent_seconds: float
    resumed_points: int


def measure_profile(
    device: Device,
    options: RunOptions,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
    finish: Callable[[Outcome], None] = lambda _: None,
) -> Outcome:
    """Measure until the budget, the tolerance or the caller says stop.

    Parameters
    ----------
    progress
        Called after every point.
    cancelled
        Asked before every point; True ends the run with what was measured.
    finish
        Called with the outcome while the journal is still there and locked; the journal is discarded after it
        returns. Writing the profile belongs here: then a kill at any moment loses nothing.

    Raises
    ------
    Unavailable
        The GPU is in use by others, or another run writes to the same place.
    InvalidInput
        What lies at `out` is another device's, or damaged.
    """
    _refuse_contention(device, options)
    path = journal_path(options.out)
    if options.fresh:
        path.unlink(missing_ok=True)
    with Journal(path, _identity(device, options)) as journal:
        try:
            recover_folder(options.out)
            earlier = [] if options.fresh else _finished_entries(device, options.out)
            run = _Run(device, options, journal, earlier)
            try:
                outcome = run.loop(progress, cancelled)
            finally:
                run.close()
            finish(outcome)
        except BaseException:
            if all(e.refused for e in journal.entries):
                journal.discard()  # nothing worth going on from
            raise
        journal.discard()
    return outcome


def _identity(device: Device, options: RunOptions) -> dict[str, Any]:
    info = device.info()
    return {"device": info.name, "driver": info.driver, "library": device.library, "seed": options.seed}


def _finished_entries(device: Device, out: Path) -> list[Entry]:
    if not (out / MANIFEST_FILE).is_file():
        return []
    profile = read_profile(out)
    found, now = profile.manifest.device, device.info()
    if (found.name, found.driver) != (now.name, now.driver) or profile.manifest.basis != "measured":
        raise InvalidInput(
            f"holds a {profile.manifest.basis} profile of {found.name} (driver {found.driver or 'unknown'}), "
            f"this is {now.name} (driver {now.driver or 'unknown'}); choose another --out, or replace it "
            "with --fresh",
            source=str(out),
        )
    return entries_of(profile)


def _refuse_contention(device: Device, options: RunOptions) -> None:
    look = getattr(device, "observe_idle", None)
    if look is None or options.allow_contention:
        return
    others = look().others
    if others:
        raise Unavailable(
            f"the GPU is in use: {others}. Times measured now would be wrong; free it, or accept marked "
            "points with --allow-contention"
        )


class _Run:
    """The spaces of a run with their frontiers, and the loop over them."""

    def __init__(self, device: Device, options: RunOptions, journal: Journal, earlier: list[Entry]) -> None:
        self.device, self.options, self.journal = device, options, journal
        self.measurements = choose(options.operations)
        self.unmeasurable: list[Unmeasurable] = []
        self.frontiers: list[tuple[Measurement, Frontier]] = []
        self.refusals: dict[int, int] = {}
        limits = Limits.of_budget(options.budget_seconds, device.free_bytes())
        for measurement in self.measurements.values():
            if measurement.by_name_only_on_cpu and device.kind == "cpu" and not options.operations:
                reason = "on a CPU only measured when named with --ops"
                self.unmeasurable.append(
                    Unmeasurable(operation=measurement.operation, what="all", reason=reason)
                )
                continue
            for offered in self._offered(measurement):
                if isinstance(offered, Unmeasurable):
                    self.unmeasurable.append(offered)
                elif len(offered):
                    self.frontiers.append((measurement, Frontier(offered, limits)))
        # After a kill between writing the profile and removing the journal, both hold the same points.
        latest = {point_key(e.operation, e.point): e for e in (*earlier, *journal.entries)}
        self.entries = list(latest.values())
        self.resumed = len(self.entries)
        for entry in self.entries:
            self._restore(entry)
        self.earlier_seconds = sum(e.cost_seconds for e in journal.entries)
        share = options.budget_seconds / max(1, 12 * len(self.frontiers))
        self.effort = Effort(
            seconds=min(0.25, max(0.01, share / 2)), warmup_seconds=min(0.02, max(0.001, share / 20))
        )

    def _offered(self, measurement: Measurement) -> list[Space | Unmeasurable]:
        """What a measurement offers; what fails while it looks around is a reason, not an end of the run."""
        try:
            return list(measurement.spaces(self.device, self.options.request))
        except FulcrumError:
            raise
        except Exception as error:  # noqa: BLE001
            self.device.require_usable()
            failed = Unmeasurable(operation=measurement.operation, what="all", reason=_reason(error))
            return [failed]

    def _restore(self, entry: Entry) -> None:
        for _, frontier in self.frontiers:
            space = frontier.space
            if space.operation != entry.operation:
                continue
            if any(entry.point.get(k) != v for k, v in space.labels.items()):
                continue
            row = frontier.find(np.array([float(entry.point[a.name]) for a in space.schema.axes]))
            if row is None:
                continue
            if entry.refused:
                frontier.refuse(row)
            else:
                frontier.add(row, entry.value, entry.cost_seconds)

    def loop(self, progress: Callable[[Progress], None], cancelled: Callable[[], bool]) -> Outcome:
        begin = time.monotonic() - self.earlier_seconds
        stopped = "tolerance"
        while (chosen := most_urgent([f for _, f in self.frontiers], self.options.tolerance)) is not None:
            if cancelled():
                stopped = "cancelled"
                break
            if time.monotonic() - begin >= self.options.budget_seconds:
                stopped = "budget"
                break
            number, row = chosen
            self._measure(number, row)
            progress(self._progress(begin, number))
        errors = {f.space.name: f.final_error() for _, f in self.frontiers}
        return Outcome(
            entries=tuple(self.entries),
            errors=errors,
            unmeasurable=tuple(self.unmeasurable),
            stopped=stopped,
            spent_seconds=time.monotonic() - begin,
            resumed_points=self.resumed,
        )

    def _measure(self, number: int, row: int) -> None:
        measurement, frontier = self.frontiers[number]
        point = frontier.space.point(row)
        entry = self._try(measurement, frontier.space, point)
        self.journal.append(entry)
        self.entries.append(entry)
        if not entry.refused:
            self.refusals[number] = 0
            frontier.add(row, entry.value, entry.cost_seconds)
            limit = max(5.0, self.options.budget_seconds / 5)
            # A call that is quick by itself was held up by others: the next one may not be.
            if entry.cost_seconds > limit < 5 * self.effort.fewest * entry.value * 1e-6:
                reason = f"one point took {entry.cost_seconds:.0f} s, too much for this budget"
                self._give_up(number, reason)
            return
        frontier.refuse(row)
        self.refusals[number] = self.refusals.get(number, 0) + 1
        if self.refusals[number] >= _REFUSALS_IN_A_ROW and frontier.measured == 0:
            # It will not get better: give the space up rather than try thousands of candidates.
            self._give_up(number, entry.refused)

    def _give_up(self, number: int, reason: str) -> None:
        space = self.frontiers[number][1].space
        self.unmeasurable.append(Unmeasurable(operation=space.operation, what=space.name, reason=reason))
        del self.frontiers[number]
        self.refusals.clear()

    def _try(self, measurement: Measurement, space: Space, point: Point) -> Entry:
        begin = time.monotonic()
        try:
            measurement.start(self.device, point)
            begin = time.monotonic()
            sampled = measurement.measure(self.device, point, self.effort, self.options.seed)
        # Memory runs out, a kernel does not take a shape, a package does not fit another: kernels fail in
        # every way there is, and one point that fails must not end a run. The reason is kept.
        except Exception as error:  # noqa: BLE001
            refused = Entry(
                operation=space.operation, point=point, refused=_reason(error), cost_seconds=_since(begin)
            )
            self._require_usable(refused)
            return refused
        seen = self.device.observe()
        summary = summarize(sampled.values)
        return Entry(
            operation=space.operation,
            point=point,
            value=summary.median,
            p10=summary.p10,
            p90=summary.p90,
            samples=summary.kept,
            contended=bool(seen.others),
            sm_clock_mhz=seen.sm_clock_mhz,
            temperature_c=seen.temperature_c,
            kernel=sampled.kernel,
            cost_seconds=_since(begin),
        )

    def _require_usable(self, refused: Entry) -> None:
        """Write the point down before a lost device ends the run: it must not end the next one too."""
        try:
            self.device.require_usable()
            self.device.release()
        except Unavailable:
            self.journal.append(refused)
            raise

    def _progress(self, begin: float, number: int) -> Progress:
        errors = [(f.space.name, f.error) for _, f in self.frontiers]
        refused = sum(bool(e.refused) for e in self.entries)
        last = self.frontiers[min(number, len(self.frontiers) - 1)][1].space.name if self.frontiers else ""
        return Progress(
            spent_seconds=time.monotonic() - begin,
            budget_seconds=self.options.budget_seconds,
            points=len(self.entries) - refused,
            refused=refused,
            space=last,
            worst=max(errors, key=lambda e: e[1], default=("", 0.0)),
        )

    def close(self) -> None:
        for measurement in self.measurements.values():
            measurement.close()
        self.device.release()


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    said = text[0][:300] if text else type(error).__name__
    expected = isinstance(error, (FulcrumError, MemoryError, RuntimeError)) or not text
    return said if expected else f"{type(error).__name__}: {said}"


def _since(begin: float) -> float:
    return round(time.monotonic() - begin, 4)
