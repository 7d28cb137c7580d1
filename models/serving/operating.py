"""Instances at a rate, and the largest rate of each: arrays, and the oracle of `models.serving.analysis`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving.capacity import (
    MAX_UTILISATION,
    STEPS,
    Capacity,
    Limit,
    Targets,
    binding,
    blocked,
    impossible,
    reached,
    why_not,
)
from models.serving.configuration import InstanceModel
from models.serving.load import RARE, Load, State
from models.workload import POISSON, Burstiness, LengthDistribution

__all__ = ["Bounds", "capacities_by_halving", "latencies", "operate", "tpot_share", "ttft_share"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CHUNK = 128
"""Instances computed together."""
NEGLIGIBLE = 1e-12
"""Weight of a level below which it cannot move a share by what decides."""


def capacities_by_halving(
    instances: Sequence[InstanceModel],
    lengths: LengthDistribution,
    targets: Targets,
    *,
    reuse: float = 0.0,
    burstiness: Burstiness = POISSON,
) -> tuple[Capacity, ...]:
    """The largest rate of each instance within the targets, all computed at once."""
    if len(instances) > CHUNK:  # a chunk stays in the processor's cache
        parts = [instances[i : i + CHUNK] for i in range(0, len(instances), CHUNK)]
        return tuple(
            found
            for part in parts
            for found in capacities_by_halving(part, lengths, targets, reuse=reuse, burstiness=burstiness)
        )
    if not instances:
        return ()
    load = Load(instances, lengths, reuse=reuse, burstiness=burstiness)
    bounds = Bounds(load, targets)
    high = load.max_rate_per_s * MAX_UTILISATION
    low = np.zeros_like(high)
    top = high.copy()
    idle = load.at_rate(high * 1e-9)
    alone = bounds.met(idle)
    for _ in range(STEPS):
        middle = (low + high) / 2
        good = bounds.met(load.at_rate(middle)).all(axis=0)
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    best = load.at_rate(low)
    above = bounds.met(load.at_rate(high))
    shown = latencies(load, best, targets)
    shown_idle = shown if alone.all() else latencies(load, idle, targets)
    out = []
    for i, instance in enumerate(instances):
        why = _blocked(load, instance)
        if why is not None:
            out.append(impossible(instance, "memory", why, None, None))
        elif not alone[:, i].all():
            ttft, tpot = float(shown_idle[0][i]), float(shown_idle[1][i])
            limit, reason = why_not(
                targets, ttft_ms=ttft, tpot_ms=tpot, ttft_met=bool(alone[3, i]), tpot_met=bool(alone[4, i]),
                room_bytes=float(load.cache_room[i]),
            )  # fmt: skip
            out.append(impossible(instance, limit, reason, ttft, tpot))
        else:
            free = above[:, i].all() or high[i] >= top[i]
            limit = "throughput" if free else Bounds.names[int(np.argmin(above[:, i]))]
            reason = binding(instance, limit, targets, float(best.utilisation[i]))
            out.append(_at(load, best, shown, i, limit, reason))
    return tuple(out)


def operate(
    instances: Sequence[InstanceModel],
    lengths: LengthDistribution,
    rates_per_s: Floats,
    targets: Targets,
    *,
    reuse: float = 0.0,
    burstiness: Burstiness = POISSON,
) -> tuple[Capacity, ...]:
    """What each instance does at a given rate (float64[instance]); infeasible where it cannot.

    The latencies are those at the targets' percentiles even where they exceed the targets.
    """
    if not instances:
        return ()
    load = Load(instances, lengths, reuse=reuse, burstiness=burstiness)
    rates = np.asarray(rates_per_s, dtype=np.float64)
    if rates.shape != (len(instances),) or not (np.isfinite(rates) & (rates > 0)).all():
        raise InvalidInput("one positive, finite rate per instance is needed")
    bounds = Bounds(load, targets)
    reachable = rates <= load.max_rate_per_s * MAX_UTILISATION
    state = load.at_rate(np.minimum(rates, load.max_rate_per_s * MAX_UTILISATION))
    shown = latencies(load, state, targets)
    met = bounds.met(state)
    out = []
    for i, instance in enumerate(instances):
        why = _blocked(load, instance)
        if why is not None:
            out.append(impossible(instance, "memory", why, None, None))
        elif not reachable[i]:
            most = float(load.max_rate_per_s[i] * MAX_UTILISATION)
            reason = f"{rates[i]:.4g} requests/s exceed the {most:.4g} it can process at all"
            out.append(impossible(instance, "throughput", reason, None, None))
        elif met[:, i].all():
            out.append(_at(load, state, shown, i, "throughput", "all targets are met"))
        else:
            limit = Bounds.names[int(np.argmin(met[:, i]))]
            reason = binding(instance, limit, targets, float(state.utilisation[i]))
            found = _at(load, state, shown, i, limit, reason)
            out.append(replace(found, feasible=False, rate_per_s=float(rates[i])))
    return tuple(out)


class Bounds:
    """Which limits a state keeps: bool[limit, instance], in the order of `names`."""

    names: tuple[Limit, ...] = ("throughput", "memory", "max_num_seqs", "ttft", "tpot")

    def __init__(self, load: Load, targets: Targets) -> None:
        self.load = load
        self.targets = targets

    def met(self, state: State) -> Flags:
        load, targets = self.load, self.targets
        every = np.ones_like(state.running)
        ttft = ttft_share(load, state, every * targets.ttft_ms) >= reached(targets.ttft_percentile)
        tpot = tpot_share(load, state, every * targets.tpot_ms) >= reached(targets.tpot_percentile)
        return np.stack(
            [
                state.utilisation <= MAX_UTILISATION,
                state.cache_bytes <= load.cache_room,
                (state.full <= RARE) | ~load.decodes,
                ttft | ~load.prefills,
                tpot | ~load.decodes,
            ]
        )


def ttft_share(load: Load, state: State, limit_ms: Floats) -> Floats:
    """Share of the requests whose first token comes within `limit_ms` ([instance])."""
    left = limit_ms[:, None, None] - state.service_ms
    rate = state.busy / np.maximum(state.wait_ms, 1e-9)
    within = 1.0 - state.busy[:, :, None] * np.exp(-np.maximum(left, 0.0) * rate[:, :, None])
    return np.asarray((load.input_mean(np.where(left >= 0, within, 0.0)) * state.weight).sum(axis=1))


def tpot_share(load: Load, state: State, limit_ms: Floats) -> Floats:
    """Share of the requests whose time per output token is within `limit_ms`; one token has no such time."""
    left = (limit_ms[:, None, None] - state.step_ms[:, :, None]) * np.maximum(load.steps, 1.0)
    mean, variance = state.work_mean_ms, np.maximum(state.work_variance, 1e-12)
    sure = ((left >= 0) & (mean <= 1e-9)) | (limit_ms[:, None] >= state.longest_ms)[:, :, None]
    within = np.where((load.steps < 1.0) | sure, 1.0, 0.0)
    # the work is a random number of prompts: a gamma law has its mean, its variance and its skew to the right
    asked = (left >= 0) & (within == 0.0) & (state.weight > NEGLIGIBLE)[:, :, None]
    shape, rate = mean**2 / variance, mean / variance
    within[asked] = _gamma(shape[asked], (left * rate)[asked])
    return np.asarray((load.output_mean(within) * state.weight).sum(axis=1))


def _gamma(shape: Floats, x: Floats) -> Floats:
    """Distribution function of the gamma law with that shape and scale 1."""
    from scipy.special import gammainc

    value: Floats = gammainc(shape, x)
    return value


def latencies(load: Load, state: State, targets: Targets) -> tuple[Floats, Floats]:
    """TTFT and TPOT ([instance]) at the targets' percentiles."""

    def invert(share: Callable[[Load, State, Floats], Floats], percentile: float, target: float) -> Floats:
        # Searched from the target: where met, it bounds what is stated, and no mean at overload (as much as a
        # million steps) makes the halvings coarse.
        high = np.full(load.cache_room.shape, target)
        low = np.zeros_like(high)
        for _ in range(60):
            short = share(load, state, high) < reached(percentile)
            if not short.any():
                break
            low, high = np.where(short, high, low), np.where(short, high * 2.0, high)
        for _ in range(STEPS):
            middle = (low + high) / 2
            short = share(load, state, middle) < reached(percentile)
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return high

    ttft = invert(ttft_share, targets.ttft_percentile, targets.ttft_ms)
    tpot = invert(tpot_share, targets.tpot_percentile, targets.tpot_ms)
    return ttft, tpot


def _blocked(load: Load, instance: InstanceModel) -> str | None:
    return blocked(instance, load.lengths.longest_request_tokens, float(load.lengths.input_tokens[-1]))


def _at(
    load: Load, state: State, shown: tuple[Floats, Floats], i: int, limit: Limit, reason: str
) -> Capacity:
    role = load.instances[i].configuration.role
    return Capacity(
        feasible=True,
        rate_per_s=float(state.rate_per_s[i]),
        ttft_ms=None if role == "decode" else float(shown[0][i]),
        tpot_ms=None if role == "prefill" else float(shown[1][i]),
        concurrency=float(state.running[i]),
        cache_share=float(state.cache_bytes[i] / load.cache_room[i]),
        limit=limit,
        reason=reason,
        basis=load.instances[i].curves.basis,
    )
