"""A day of requests, synthetic: two real traces of an hour stretched over a made-up daily shape.

Real are the lengths of each request (drawn as pairs) and how much the rate of one minute differs from that of
the hour around it. Made up are the daily shape, two workloads that peak at different hours, and the spike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.workload import Trace

__all__ = ["DAY_S", "Shape", "Spike", "Traffic", "make_day"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAY_S = 86_400.0
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Rate over a day: ``mean · (1 + swing · cos(2π (t − peak) / day))``.

    Parameters
    ----------
    mean_per_s
        Requests per second over the day, without spikes.
    peak_h
        Hour of the largest rate.
    swing
        0 flat, 1 down to nothing at night.
    """

    mean_per_s: float
    peak_h: float
    swing: float

    def rate_per_s(self, time_s: Floats) -> Floats:
        """Requests per second at each time."""
        phase = 2 * np.pi * (time_s / DAY_S - self.peak_h / 24)
        return np.asarray(self.mean_per_s * (1 + self.swing * np.cos(phase)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """All rates times `factor` from one time to another, ramped over five minutes."""

    start_s: float
    end_s: float
    factor: float

    def at(self, time_s: Floats) -> Floats:
        """The factor at each time."""
        ramp = 300.0
        inside = np.clip((time_s - self.start_s) / ramp, 0, 1) * np.clip((self.end_s - time_s) / ramp, 0, 1)
        return np.asarray(1 + (self.factor - 1) * inside)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traffic:
    """The requests of one workload: float64[n] seconds ascending, int64[n] tokens."""

    sent_s: Floats
    input_tokens: Ints
    output_tokens: Ints

    def between(self, start_s: float, end_s: float) -> slice:
        """The requests of a time."""
        low, high = np.searchsorted(self.sent_s, [start_s, end_s])
        return slice(int(low), int(high))


def make_day(
    shapes: Mapping[str, Shape], traces: Mapping[str, Trace], spikes: Sequence[Spike], *, seed: int
) -> dict[str, Traffic]:
    """Requests of one day for each workload: Poisson within a minute, at a rate that follows the shape."""
    day: dict[str, Traffic] = {}
    for k, (name, shape) in enumerate(sorted(shapes.items())):
        random = np.random.default_rng([seed, k])
        trace = traces[name]
        minutes = np.arange(0.0, DAY_S, _MINUTE_S)
        rates = shape.rate_per_s(minutes) * _bursts(trace, minutes.size, random)
        for spike in spikes:
            rates = rates * spike.at(minutes)
        counts = random.poisson(rates * _MINUTE_S)
        sent = np.sort(np.repeat(minutes, counts) + random.random(int(counts.sum())) * _MINUTE_S)
        drawn = random.integers(0, len(trace), sent.size)
        day[name] = Traffic(
            sent_s=sent,
            input_tokens=np.asarray(trace.input_tokens, np.int64)[drawn],
            output_tokens=np.asarray(trace.output_tokens, np.int64)[drawn],
        )
    return day


def _bursts(trace: Trace, minutes: int, random: np.random.Generator) -> Floats:
    """How each minute differs from the hour around it, in blocks as the trace has them."""
    rates = np.asarray(trace.window_rates_per_s(_MINUTE_S))[:-1]  # the last one is not whole
    factors = rates / rates.mean()
    blocks = [
        np.roll(factors, int(random.integers(factors.size))) for _ in range(minutes // factors.size + 1)
    ]
    return np.concatenate(blocks)[:minutes]
