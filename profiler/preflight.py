"""One small point of everything, before an hour is spent: what runs here, what does not, and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from models.errors import FulcrumError, Unavailable
from profiler.devices.device import Device
from profiler.measurement import Measurement
from profiler.registry import choose
from profiler.space import Request, Space, Unmeasurable
from profiler.timing import Effort, summarize

__all__ = ["Tried", "preflight"]

_EFFORT = Effort(samples=5, fewest=3, seconds=0.05, warmup_seconds=0.002)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came of one space.

    Parameters
    ----------
    value
        Median of the point, in the unit of its operation; NaN where nothing came of it.
    spread
        (p90 - p10) ÷ median.
    reason
        Why there is no value; empty when there is one.
    """

    name: str
    value: float = float("nan")
    spread: float = float("nan")
    kernel: str = ""
    seconds: float = 0.0
    reason: str = ""


def preflight(
    device: Device,
    request: Request,
    operations: tuple[str, ...] = (),
    *,
    report: Callable[[Tried], None] = lambda _: None,
) -> list[Tried]:
    """Measure one middle-sized point of every space; nothing is written, and no failure ends it.

    Only a device whose context is lost ends it early: the last entry then says so.

    Parameters
    ----------
    report
        Called after every space.

    Raises
    ------
    UnknownName
        No such operation or model.
    """
    small = replace(
        request,
        max_tokens=min(request.max_tokens, 512),
        max_context_tokens=min(request.max_context_tokens, 4096),
        max_batch_size=min(request.max_batch_size, 32),
    )
    tried: list[Tried] = []

    def note(one: Tried) -> None:
        tried.append(one)
        report(one)

    for measurement in choose(operations).values():
        if measurement.by_name_only_on_cpu and device.kind == "cpu" and not operations:
            continue
        try:
            for offered in _offered(measurement, device, small):
                note(_try(measurement, device, offered))
        except Unavailable as error:
            note(Tried(name=measurement.operation, reason=f"{error.message} Nothing after it was tried"))
            break
        finally:
            measurement.close()
    return tried


def _offered(measurement: Measurement, device: Device, request: Request) -> list[Space | Unmeasurable]:
    try:
        return list(measurement.spaces(device, request))
    except FulcrumError:
        raise
    except Exception as error:  # noqa: BLE001 - a package that does not fit: the reason is what is asked for
        device.require_usable()
        return [Unmeasurable(operation=measurement.operation, what="all", reason=_said(error))]


def _try(measurement: Measurement, device: Device, offered: Space | Unmeasurable) -> Tried:
    if isinstance(offered, Unmeasurable):
        return Tried(name=f"{offered.operation} {offered.what}", reason=offered.reason)
    if not len(offered):
        return Tried(name=offered.name, reason="no shape of these models")
    begin = time.monotonic()
    row = int(np.argsort(offered.work()[1])[len(offered) // 2])
    point = offered.point(row)
    try:
        measurement.start(device, point)
        sampled = measurement.measure(device, point, _EFFORT, 0)
    except Exception as error:  # noqa: BLE001 - as in a run: kernels fail in every way there is
        device.require_usable()
        device.release()
        return Tried(name=offered.name, reason=_said(error), seconds=time.monotonic() - begin)
    found = summarize(sampled.values)
    return Tried(
        name=offered.name,
        value=found.median,
        spread=(found.p90 - found.p10) / found.median,
        kernel=sampled.kernel,
        seconds=time.monotonic() - begin,
    )


def _said(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:300]}" if text else type(error).__name__
