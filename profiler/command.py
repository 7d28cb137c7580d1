"""A run as the command line sees it: a progress bar, Ctrl-C as "keep what you have", a summary at the end."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from profiler.devices.open import open_device
from profiler.finish import write_outcome
from profiler.preflight import Tried, preflight
from profiler.run import Outcome, Progress, RunOptions, measure_profile
from profiler.space import Request

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["preflight_with_report", "run_with_progress"]


def run_with_progress(device_name: str, options: RunOptions, console: Console, *, gpu: str = "") -> Outcome:
    """Open the device, measure, write the profile, say what came of it.

    Raises
    ------
    InvalidInput, Unavailable
        As `open_device`, `measure_profile` and `write_outcome` do.
    """
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    device = open_device(device_name)
    info = device.info()
    problem = getattr(getattr(device, "nvml", None), "problem", "")
    console.print(f"measuring {info.name} with {device.library}", highlight=False)
    if problem:
        console.print(f"warning: {problem}", highlight=False)
    stop = threading.Event()
    columns: tuple[Any, ...] = (
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[points]} points"),
        TextColumn("{task.fields[state]}", table_column=None),
    )
    with _interrupts(stop), Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=options.budget_seconds, points=0, state="")

        def show(progress: Progress) -> None:
            name, error = progress.worst
            state = f"{progress.space}: seeds" if math.isinf(error) else f"worst: {name} ±{error:.0%}"
            done = min(progress.spent_seconds, options.budget_seconds)
            bar.update(task, completed=done, points=progress.points, state=state)

        outcome = measure_profile(
            device,
            options,
            progress=show,
            cancelled=stop.is_set,
            finish=lambda found: _write(found, device, options, gpu),
        )
    _summarize(outcome, options, console)
    return outcome


def preflight_with_report(
    device_name: str, operations: tuple[str, ...], request: Request, console: Console
) -> list[Tried]:
    """Try one point of everything and say line by line what came of it.

    Raises
    ------
    InvalidInput, Unavailable
        As `open_device` does.
    """
    device = open_device(device_name)
    console.print(f"{device.info().name} with {device.library}", highlight=False)
    for name, version in device.libraries().items():
        console.print(f"  {name} {version}", highlight=False)
    problem = getattr(getattr(device, "nvml", None), "problem", "")
    look = getattr(device, "observe_idle", None)
    for warning in (problem, look().others if look is not None else ""):
        if warning:
            console.print(f"warning: {warning}", highlight=False)

    def line(tried: Tried) -> None:
        found = f"not measured: {tried.reason}"
        if not tried.reason:
            unit = "W" if tried.name.startswith("power") else "µs"
            found = f"{tried.value:,.1f} {unit} ±{tried.spread / 2:.0%}  {tried.kernel}"
        console.print(f"{tried.name}: {found}", highlight=False, soft_wrap=True)

    tried = preflight(device, request, operations, report=line)
    failed = sum(bool(t.reason) for t in tried)
    console.print(f"{len(tried) - failed} of {len(tried)} can be measured", highlight=False)
    return tried


def _write(outcome: Outcome, device: Any, options: RunOptions, gpu: str) -> None:
    write_outcome(outcome, device, options, gpu=gpu)


@contextmanager
def _interrupts(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C asks for an end after the point at hand, the second interrupts at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: object) -> None:
        del number, frame
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _summarize(outcome: Outcome, options: RunOptions, console: Console) -> None:
    from rich.table import Table

    measured = [e for e in outcome.entries if not e.refused]
    why = {
        "tolerance": f"every operation interpolates within {options.tolerance:.0%}, or has no further points",
        "budget": "the budget is spent",
        "cancelled": "cancelled",
    }[outcome.stopped]
    resumed = f", {outcome.resumed_points} of them by earlier runs" if outcome.resumed_points else ""
    console.print(f"{len(measured)} points in {outcome.spent_seconds:.0f} s{resumed}; {why}", highlight=False)
    contended = sum(e.contended for e in measured)
    if contended:
        console.print(
            f"warning: {contended} points were measured while others used the device", highlight=False
        )
    table = Table(box=None, pad_edge=False)
    table.add_column("measured")
    table.add_column("leave-one-out error", justify="right")
    for name, error in sorted(outcome.errors.items()):
        table.add_row(name, "too few points" if math.isnan(error) else f"{error:.1%}")
    console.print(table)
    for missing in outcome.unmeasurable:
        console.print(
            f"not measured: {missing.operation} ({missing.what}): {missing.reason}", highlight=False
        )
    console.print(f"profile written to {options.out}", highlight=False, soft_wrap=True)
