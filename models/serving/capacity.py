"""The largest rate an instance sustains within its latency targets, what to expect there, and what binds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving.basis import Basis
from models.serving.configuration import InstanceModel
from models.serving.load import RARE, Load, State
from models.workload import LengthDistribution

__all__ = ["Capacity", "Limit", "Targets", "capacities", "operate"]

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

Limit = Literal["memory", "ttft", "tpot", "throughput", "max_num_seqs"]
"""What keeps an instance from more: the KV cache (or the weights), a latency target, its compute, or the
engine's own limit on the batch.
"""

MAX_UTILISATION = 0.90
"""Share of the most it can process that an instance is planned for: beyond, an error of a few per cent in the
model or in the rate decides between a short queue and one without end.
"""
STEPS = 20
"""Halvings of an interval when a bound is searched."""
ROUNDING = 1e-9
"""What a share of the requests may lack of the wanted one and still be it."""
CHUNK = 128
"""Instances computed together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Latencies that a share of the requests must not exceed.

    Parameters
    ----------
    ttft_ms, ttft_percentile
        Time to first token, milliseconds, and the percentile (0–100) it holds at.
    tpot_ms, tpot_percentile
        Mean time per output token after the first, of each request.
    """

    ttft_ms: float
    tpot_ms: float
    ttft_percentile: float = 95.0
    tpot_percentile: float = 95.0

    def __post_init__(self) -> None:
        for name in ("ttft_ms", "tpot_ms"):
            if not getattr(self, name) > 0:
                raise InvalidInput(f"{name} must be positive, got {getattr(self, name)!r}")
        for name in ("ttft_percentile", "tpot_percentile"):
            if not 0 < getattr(self, name) < 100:
                raise InvalidInput(f"{name} must be between 0 and 100, got {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What an instance does at one rate.

    Parameters
    ----------
    feasible
        Whether the targets are met.
    rate_per_s
        Requests per second; of an infeasible instance 0.
    ttft_ms, tpot_ms
        Latencies at the targets' percentiles; None where the role has no such phase. An infeasible instance
        shows those of a request that is alone.
    concurrency
        Mean number of running requests.
    cache_share
        Share of the KV cache that is exceeded 1 % of the time.
    limit, reason
        What binds, and a sentence that says so with numbers; for an infeasible one also what would work.
    basis
        The weakest of what these numbers rest on.
    """

    feasible: bool
    rate_per_s: float
    ttft_ms: float | None
    tpot_ms: float | None
    concurrency: float
    cache_share: float
    limit: Limit
    reason: str
    basis: Basis


def capacities(
    instances: Sequence[InstanceModel], lengths: LengthDistribution, targets: Targets
) -> tuple[Capacity, ...]:
    """The largest rate of each instance within the targets, all computed at once."""
    if len(instances) > CHUNK:  # a chunk stays in the processor's cache
        parts = [instances[i : i + CHUNK] for i in range(0, len(instances), CHUNK)]
        return tuple(found for part in parts for found in capacities(part, lengths, targets))
    if not instances:
        return ()
    load = Load(instances, lengths)
    bounds = _Bounds(load, targets)
    blocked = _blocked(load)
    high = load.max_rate_per_s * MAX_UTILISATION
    low = np.zeros_like(high)
    top = high.copy()
    idle = load.at_rate(high * 1e-9)
    possible = _all(bounds.met(idle))
    for _ in range(STEPS):
        middle = (low + high) / 2
        good = _all(bounds.met(load.at_rate(middle)))
        low, high = np.where(good, middle, low), np.where(good, high, middle)
    best = load.at_rate(low)
    above = bounds.met(load.at_rate(high * 1.001))
    shown = _latencies(load, best, targets)
    shown_idle = _latencies(load, idle, targets)
    out = []
    for i, instance in enumerate(instances):
        if blocked[i] is not None:
            out.append(_impossible(instance, "memory", str(blocked[i]), None, None))
        elif not possible[i]:
            ttft, tpot = shown_idle[0][i], shown_idle[1][i]
            limit, reason = _why_not(load, bounds, idle, i, ttft, tpot, targets)
            out.append(_impossible(instance, limit, reason, ttft, tpot))
        else:
            free = above[:, i].all() or high[i] >= top[i]
            limit = "throughput" if free else bounds.names[int(np.argmin(above[:, i]))]
            out.append(_at(load, best, shown, i, limit, _binding(load, best, i, limit, targets)))
    return tuple(out)


def operate(
    instances: Sequence[InstanceModel], lengths: LengthDistribution, rates_per_s: Floats, targets: Targets
) -> tuple[Capacity, ...]:
    """What each instance does at a given rate (float64[instance]); infeasible where it cannot.

    The latencies are those at the targets' percentiles even where they exceed the targets.
    """
    if not instances:
        return ()
    load = Load(instances, lengths)
    rates = np.asarray(rates_per_s, dtype=np.float64)
    if rates.shape != (len(instances),) or not (np.isfinite(rates) & (rates > 0)).all():
        raise InvalidInput("one positive, finite rate per instance is needed")
    bounds = _Bounds(load, targets)
    blocked = _blocked(load)
    reachable = rates <= load.max_rate_per_s * MAX_UTILISATION
    state = load.at_rate(np.minimum(rates, load.max_rate_per_s * MAX_UTILISATION))
    shown = _latencies(load, state, targets)
    met = bounds.met(state)
    out = []
    for i, instance in enumerate(instances):
        if blocked[i] is not None:
            out.append(_impossible(instance, "memory", str(blocked[i]), None, None))
        elif not reachable[i]:
            most = float(load.max_rate_per_s[i] * MAX_UTILISATION)
            reason = f"{rates[i]:.4g} requests/s exceed the {most:.4g} it can process at all"
            out.append(_impossible(instance, "throughput", reason, None, None))
        elif met[:, i].all():
            out.append(_at(load, state, shown, i, "throughput", "all targets are met"))
        else:
            limit = bounds.names[int(np.argmin(met[:, i]))]
            found = _at(load, state, shown, i, limit, _binding(load, state, i, limit, targets))
            out.append(
                Capacity(
                    feasible=False,
                    rate_per_s=float(rates[i]),
                    ttft_ms=found.ttft_ms,
                    tpot_ms=found.tpot_ms,
                    concurrency=found.concurrency,
                    cache_share=found.cache_share,
                    limit=limit,
                    reason=found.reason,
                    basis=found.basis,
                )
            )
    return tuple(out)


def _all(met: Flags) -> Flags:
    """Instances that keep every limit."""
    return np.asarray(met.all(axis=0))


class _Bounds:
    """Which limits a state keeps: bool[limit, instance], in the order of `names`."""

    names: tuple[Limit, ...] = ("throughput", "memory", "max_num_seqs", "ttft", "tpot")

    def __init__(self, load: Load, targets: Targets) -> None:
        self.load = load
        self.targets = targets

    def met(self, state: State) -> Flags:
        load, targets = self.load, self.targets
        wanted_ttft, wanted_tpot = targets.ttft_percentile / 100, targets.tpot_percentile / 100
        ttft = _reached(_ttft_share(load, state, np.full(state.running.shape, targets.ttft_ms)), wanted_ttft)
        tpot = _reached(_tpot_share(load, state, np.full(state.running.shape, targets.tpot_ms)), wanted_tpot)
        return np.stack(
            [
                state.utilisation <= MAX_UTILISATION,
                state.cache_bytes <= load.cache_room,
                (state.full <= RARE) | ~load.decodes,
                ttft | ~load.prefills,
                tpot | ~load.decodes,
            ]
        )


def _reached(share: Floats, wanted: float) -> Flags:
    """Whether a share is the wanted one but for rounding; targets and stated latencies must agree on it."""
    return np.asarray(share >= wanted - ROUNDING)


def _ttft_share(load: Load, state: State, limit_ms: Floats) -> Floats:
    """Share of the requests whose first token comes within `limit_ms` ([instance])."""
    left = limit_ms[:, None, None] - state.service_ms
    rate = state.busy / np.maximum(state.wait_ms, 1e-9)
    within = 1.0 - state.busy[:, :, None] * np.exp(-np.maximum(left, 0.0) * rate[:, :, None])
    return np.asarray((load.input_mean(np.where(left >= 0, within, 0.0)) * state.weight).sum(axis=1))


def _tpot_share(load: Load, state: State, limit_ms: Floats) -> Floats:
    """Share of the requests whose time per output token is within `limit_ms`; one token has no such time."""
    left = (limit_ms[:, None, None] - state.step_ms[:, :, None]) * np.maximum(load.steps, 1.0)
    mean = np.maximum(state.work_mean_ms, 1e-9)
    variance = np.maximum(state.work_variance, 1e-12)
    # the work is a random number of prompts: a gamma law has its mean, its variance and its skew to the right
    chance = _gamma(mean**2 / variance, np.maximum(left, 0.0) * mean / variance)
    within = np.where(load.steps >= 1.0, np.where(left >= 0, chance, 0.0), 1.0)
    return np.asarray((load.output_mean(within) * state.weight).sum(axis=1))


def _gamma(shape: Floats, x: Floats) -> Floats:
    """Distribution function of the gamma law with that shape and scale 1."""
    from scipy.special import gammainc

    value: Floats = gammainc(shape, x)
    return value


def _latencies(load: Load, state: State, targets: Targets) -> tuple[Floats, Floats]:
    """TTFT and TPOT ([instance]) at the targets' percentiles."""

    def invert(share: Callable[[Load, State, Floats], Floats], percentile: float, target: float) -> Floats:
        # Searched from the target: where met, it bounds what is stated, and no mean at overload (as much as a
        # million steps) makes the halvings coarse.
        high = np.full(load.cache_room.shape, target)
        low = np.zeros_like(high)
        for _ in range(60):
            short = ~_reached(share(load, state, high), percentile / 100)
            if not short.any():
                break
            low, high = np.where(short, high, low), np.where(short, high * 2.0, high)
        for _ in range(STEPS):
            middle = (low + high) / 2
            short = ~_reached(share(load, state, middle), percentile / 100)
            low, high = np.where(short, middle, low), np.where(short, high, middle)
        return high

    ttft = invert(_ttft_share, targets.ttft_percentile, targets.ttft_ms)
    tpot = invert(_tpot_share, targets.tpot_percentile, targets.tpot_ms)
    return ttft, tpot


def _blocked(load: Load) -> list[str | None]:
    """Why an instance can serve nothing at all, before any latency is looked at."""
    out: list[str | None] = []
    lengths = load.lengths
    longest = lengths.longest_request_tokens
    for instance in load.instances:
        memory, config = instance.memory, instance.configuration
        needed = longest if config.role != "prefill" else float(lengths.input_tokens[-1])
        one = float(memory.cache.sequence_bytes(needed))
        if not memory.fits:
            taken = memory.weight_bytes + memory.activation_bytes + memory.workspace_bytes
            out.append(
                f"needs {taken / 1e9:.1f} GB a GPU before any cache ({memory.weight_bytes / 1e9:.1f} GB of "
                f"weights), and {config.gpu.name} has {memory.total_bytes / 1e9:.1f} GB"
            )
        elif one > memory.kv_cache_bytes:
            out.append(
                f"the longest request ({needed:,.0f} tokens) needs {one / 1e9:.2f} GB of cache a GPU, and "
                f"{memory.kv_cache_bytes / 1e9:.2f} GB are left beside the weights"
            )
        elif needed > config.architecture.max_context_tokens:
            most = config.architecture.max_context_tokens
            out.append(f"the longest request ({needed:,.0f} tokens) exceeds the model's context of {most:,}")
        else:
            out.append(None)
    return out


def _impossible(
    instance: InstanceModel, limit: Limit, reason: str, ttft_ms: float | None, tpot_ms: float | None
) -> Capacity:
    role = instance.configuration.role
    return Capacity(
        feasible=False,
        rate_per_s=0.0,
        ttft_ms=None if role == "decode" else ttft_ms,
        tpot_ms=None if role == "prefill" else tpot_ms,
        concurrency=0.0,
        cache_share=0.0,
        limit=limit,
        reason=reason,
        basis=instance.curves.basis,
    )


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


def _why_not(
    load: Load, bounds: _Bounds, idle: State, i: int, ttft: float, tpot: float, targets: Targets
) -> tuple[Limit, str]:
    """The limit that a single request already breaks, in words, with the value that would work."""
    met = bounds.met(idle)[:, i]
    names = dict(zip(bounds.names, met, strict=True))
    said = []
    if not names["ttft"]:
        said.append(
            f"idle TTFT p{targets.ttft_percentile:g} is {ttft:.0f} ms > target {targets.ttft_ms:g} ms; "
            f"a target of {np.ceil(ttft * 1.05):.0f} ms would work"
        )
    if not names["tpot"]:
        said.append(
            f"idle TPOT p{targets.tpot_percentile:g} is {tpot:.1f} ms > target {targets.tpot_ms:g} ms; "
            f"a target of {np.ceil(tpot * 10.5) / 10:.1f} ms would work"
        )
    if not said:
        return (
            "memory",
            f"its cache ({load.cache_room[i] / 1e9:.2f} GB a GPU) cannot hold one typical request",
        )
    return ("ttft" if not names["ttft"] else "tpot"), "; ".join(said)


def _binding(load: Load, state: State, i: int, limit: Limit, targets: Targets) -> str:
    """What binds at a state, in words."""
    match limit:
        case "memory":
            return f"KV cache of {load.instances[i].memory.kv_cache_tokens:,} tokens is full at times"
        case "ttft":
            return f"TTFT p{targets.ttft_percentile:g} reaches {targets.ttft_ms:g} ms"
        case "tpot":
            return f"TPOT p{targets.tpot_percentile:g} reaches {targets.tpot_ms:g} ms"
        case "max_num_seqs":
            return f"max_num_seqs {load.max_num_seqs[i]:.0f} is reached at times"
        case "throughput":
            return f"steps are busy with prompts {min(state.utilisation[i], 1.0):.0%} of the time"
