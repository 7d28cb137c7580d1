"""Prefill and decode together or apart, and with which parallelism: the placement algorithms of DistServe.

`high_affinity` (algorithm 1) takes the best parallelism of each phase by itself, for networks on which the
cache can go anywhere, and replicates each phase as the rate demands. `low_affinity` (algorithm 2) keeps
every stage of prefill in one node with its stage of decode, so that the cache stays on NVLink, and scores
the pair. `colocated` scores instances that do both. Goodput is per GPU throughout.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

import numpy as np

from models.errors import InvalidInput
from planner.split.goodput import LatencyTargets, bisect_rate
from planner.split.latency import StepLatency
from planner.split.requests import RequestSample
from planner.split.simulator import Server, simulate

__all__ = [
    "Colocated",
    "GoodputSearch",
    "Paired",
    "PhaseBest",
    "SplitChoice",
    "choose_split",
    "colocated",
    "high_affinity",
    "low_affinity",
    "phase_goodput",
]

Degrees = tuple[int, int]
"""(tensor-parallel size, pipeline stages)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodputSearch:
    """What every goodput is measured with.

    Parameters
    ----------
    sample, targets
        Requests and their targets.
    highest_per_gpu, resolution_per_gpu
        Bisection range and step, requests per second and GPU.
    transfer_ms
        Of one request's cache.
    """

    sample: RequestSample
    targets: LatencyTargets
    highest_per_gpu: float = 5.0
    resolution_per_gpu: float = 0.02
    transfer_ms: float = 0.0

    def per_gpu(self, prefill: Server, decode: Server | None, *, at_least: float = 0.0) -> float:
        """Goodput per GPU of one prefill and one decode instance, or of one that does both.

        0 when it is below `at_least`, which takes one simulation instead of a bisection.
        """
        gpus = prefill.gpus + (decode.gpus if decode else 0)
        after = [decode] if decode else []
        if float((self.sample.input_tokens + self.sample.output_tokens).max()) > min(
            s.kv_cache_tokens for s in (after or [prefill])
        ):
            return 0.0

        def holds(rate: float) -> bool:
            served = simulate(
                self.sample,
                rate * gpus,
                prefill=[prefill],
                decode=after,
                transfer_ms=self.transfer_ms,
                give_up=self.targets.give_up(len(self.sample)),
            )
            return self.targets.met(served)

        if at_least > 0 and not holds(at_least):
            return 0.0
        return bisect_rate(holds, highest=self.highest_per_gpu, resolution=self.resolution_per_gpu)


@dataclass(frozen=True, slots=True)
class PhaseBest:
    """The best parallelism of one phase; `instances` of it carry the demanded rate."""

    degrees: Degrees
    per_gpu: float
    instances: int


@dataclass(frozen=True, slots=True)
class Paired:
    """Prefill and decode instances whose stages share nodes.

    ``per_gpu``: goodput per GPU it uses; ``per_node_gpu``: per GPU of the nodes it needs, with as many pairs
    to a node as fit and the GPUs that are left over idle.
    """

    prefill: Degrees
    decode: Degrees
    gpus: int
    per_gpu: float
    per_node_gpu: float


@dataclass(frozen=True, slots=True)
class Colocated:
    """An instance that does both."""

    degrees: Degrees
    gpus: int
    per_gpu: float


class _Instant:
    """Prefill that takes no time: to look at decode alone."""

    def prefill_ms(self, prompt_tokens: object) -> float:
        return 0.0

    def decode_ms(self, batch: int, context_tokens: int) -> float:
        raise AssertionError("an instant prefill instance never decodes")


_INSTANT: StepLatency = _Instant()


def phase_goodput(search: GoodputSearch, server: Server, phase: Literal["prefill", "decode"]) -> float:
    """Goodput per GPU of one phase by itself, under its own target: the other takes no time."""
    sample, targets = search.sample, search.targets
    if phase == "prefill":
        alone = dataclasses.replace(sample, output_tokens=np.ones_like(sample.output_tokens))
        prefill, decode = server, server
        targets = dataclasses.replace(targets, tpot_ms=math.inf)
    else:
        alone = sample
        prefill = Server(
            latency=_INSTANT, stages=1, gpus=0, kv_cache_tokens=math.inf, prefill_batch_tokens=math.inf
        )
        decode = server
        targets = dataclasses.replace(targets, ttft_ms=math.inf)
        if float((sample.input_tokens + sample.output_tokens).max()) > server.kv_cache_tokens:
            return 0.0

    def holds(rate: float) -> bool:
        served = simulate(
            alone,
            rate * server.gpus,
            prefill=[prefill],
            decode=[decode],
            give_up=targets.give_up(len(alone)),
        )
        return targets.met(served)

    # one phase alone can be far faster than both
    return bisect_rate(holds, highest=8 * search.highest_per_gpu, resolution=search.resolution_per_gpu)


def high_affinity(
    search: GoodputSearch, servers: Mapping[Degrees, Server], *, rate_per_s: float
) -> tuple[PhaseBest, PhaseBest]:
    """Algorithm 1: the best prefill and the best decode parallelism, each replicated to `rate_per_s`.

    Raises
    ------
    InvalidInput
        No parallelism of a phase meets its target at any rate.
    """
    found = []
    for phase in ("prefill", "decode"):
        scores = {
            degrees: phase_goodput(search, server, "prefill" if phase == "prefill" else "decode")
            for degrees, server in sorted(servers.items())
        }
        best = max(scores, key=lambda d: (scores[d], -servers[d].gpus))
        if not scores[best]:
            raise InvalidInput(f"no parallelism meets the {phase} target at any rate: relax it or add GPUs")
        count = math.ceil(rate_per_s / (scores[best] * servers[best].gpus) - 1e-9)
        found.append(PhaseBest(best, scores[best], count))
    return found[0], found[1]


def _segments(
    servers: Mapping[Degrees, Server], nodes: int, gpus_per_node: int
) -> Iterator[tuple[Degrees, Degrees, int]]:
    """Pairs of whole instances whose stages can be dealt to `inter_op` ≤ `nodes` nodes in equal parts."""
    seen = set()
    for inter_op in range(1, nodes + 1):
        for prefill in sorted(servers):
            for decode in sorted(servers):
                if prefill[1] % inter_op or decode[1] % inter_op or (prefill, decode) in seen:
                    continue
                inside = prefill[0] * prefill[1] // inter_op + decode[0] * decode[1] // inter_op
                if inside <= gpus_per_node:
                    seen.add((prefill, decode))
                    yield prefill, decode, inter_op


def low_affinity(
    search: GoodputSearch,
    servers: Mapping[Degrees, Server],
    *,
    nodes: int,
    gpus_per_node: int,
    contenders: float = 0.8,
    count_idle: bool = False,
) -> tuple[Paired, ...]:
    """Algorithm 2: the pairs whose stages share nodes, best first, fewer GPUs first among equals.

    Best is by goodput per GPU used, as in the paper, or with `count_idle` per GPU of the nodes needed.

    Pairs below `contenders` of the best one before them, in order of GPUs, are dropped after one simulation.
    """
    found: list[Paired] = []
    best = 0.0
    pairs = list(_segments(servers, nodes, gpus_per_node))
    for prefill, decode, inter_op in sorted(pairs, key=lambda p: servers[p[0]].gpus + servers[p[1]].gpus):
        first, second = servers[prefill], servers[decode]
        gpus = first.gpus + second.gpus
        per_gpu = search.per_gpu(first, second, at_least=contenders * best)
        best = max(best, per_gpu)
        if per_gpu > 0:
            inside = gpus // inter_op
            used = gpus_per_node // inside * inside / gpus_per_node
            found.append(Paired(prefill, decode, gpus, per_gpu, per_gpu * used))
    rank = attrgetter("per_node_gpu" if count_idle else "per_gpu")
    return tuple(sorted(found, key=lambda p: (-rank(p), p.gpus, p.prefill, p.decode)))


def colocated(search: GoodputSearch, servers: Mapping[Degrees, Server]) -> tuple[Colocated, ...]:
    """Every instance that does both phases, best first."""
    found = [
        Colocated(degrees, server.gpus, search.per_gpu(server, None))
        for degrees, server in sorted(servers.items())
    ]
    return tuple(sorted(found, key=lambda c: (-c.per_gpu, c.gpus, c.degrees)))


@dataclass(frozen=True, slots=True)
class SplitChoice:
    """Together or apart, with the best of each (None where none meets the targets) and why."""

    choice: Literal["colocated", "disaggregated", "none"]
    together: Colocated | None
    apart: Paired | None
    reason: str


def choose_split(together: tuple[Colocated, ...], apart: tuple[Paired, ...]) -> SplitChoice:
    """Decide by goodput per GPU; equal goodput stays together, which is simpler to run."""
    best_together = together[0] if together and together[0].per_gpu > 0 else None
    best_apart = apart[0] if apart and apart[0].per_gpu > 0 else None
    if best_together is None and best_apart is None:
        return SplitChoice("none", None, None, "no instance meets the targets at any rate")
    rate_together = best_together.per_gpu if best_together else 0.0
    rate_apart = best_apart.per_gpu if best_apart else 0.0
    reason = f"{rate_apart:.3g} requests/s and GPU apart, {rate_together:.3g} together"
    choice: Literal["colocated", "disaggregated"] = (
        "disaggregated" if rate_apart > rate_together else "colocated"
    )
    return SplitChoice(choice, best_together, best_apart, reason)
