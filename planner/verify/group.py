"""Equal instances of one workload: one of them simulated at its share of the requests.

A router that spreads requests at random gives each of n instances a Poisson stream of its own, so that one
instance stands for all. Recorded requests are dealt to as many instances as they suffice for. (A router that
looks at queues does better; the plan does not count on it.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving import InstanceModel
from models.serving.simulator import simulate
from planner.candidates.candidate import Candidate
from planner.candidates.enumerate import instance_model
from planner.fleet.fleet import Fleet
from planner.verify.stream import Stream

__all__ = ["Latencies", "replay_candidate", "replay_instance", "replay_streams"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Latencies:
    """What the counted requests of one instance saw; float64[n] in ms.

    ``ttft_ms`` is None for decode instances, ``tpot_ms`` for prefill instances; a request of one token has a
    TPOT of NaN.
    """

    ttft_ms: Floats | None
    tpot_ms: Floats | None

    @classmethod
    def together(cls, parts: Sequence[Latencies]) -> Latencies:
        """Those of several instances of one role."""
        first = [part.ttft_ms for part in parts if part.ttft_ms is not None]
        further = [part.tpot_ms for part in parts if part.tpot_ms is not None]
        return cls(
            ttft_ms=np.concatenate(first) if first else None,
            tpot_ms=np.concatenate(further) if further else None,
        )


def replay_instance(
    instance: InstanceModel, stream: Stream, rate_per_s: float, *, reuse: float = 0.0
) -> Latencies | None:
    """Serve a stream on one instance; None where its cache cannot hold one of the requests.

    `reuse`: share of each prompt that is found in the cache.
    """
    try:
        if instance.configuration.role == "decode":
            return _decode(instance, stream, rate_per_s)
        serve = _mixed if instance.configuration.role == "mixed" else _prefill
        return serve(instance, stream, rate_per_s, reuse)
    except InvalidInput:
        return None


def replay_candidate(
    fleet: Fleet, candidate: Candidate, stream: Stream, rate_per_s: float
) -> Latencies | None:
    """Serve a stream on one instance of a candidate, as its users see it: with the way to it and back."""
    # An engine that takes s times longer for everything sees s times the rate.
    slow = candidate.slowdown
    reuse = fleet.workload(candidate.workload).reuse
    sent = stream.at(rate_per_s)
    seen = replay_instance(instance_model(fleet, candidate), sent, rate_per_s * slow, reuse=reuse)
    if seen is None or (slow == 1.0 and candidate.distance_ms == 0):
        return seen
    return Latencies(
        ttft_ms=None if seen.ttft_ms is None else seen.ttft_ms * slow + candidate.distance_ms,
        tpot_ms=None if seen.tpot_ms is None else seen.tpot_ms * slow,
    )


def replay_streams(
    fleet: Fleet, candidate: Candidate, streams: Sequence[Stream], rate_per_s: float
) -> Latencies | None:
    """Serve each stream on an instance of its own; None where one cannot hold one of its requests."""
    found = []
    for stream in streams:
        seen = replay_candidate(fleet, candidate, stream, rate_per_s)
        if seen is None:
            return None
        found.append(seen)
    return Latencies.together(found)


def _mixed(instance: InstanceModel, stream: Stream, rate_per_s: float, reuse: float) -> Latencies:
    found = simulate(
        instance,
        stream.input_tokens,
        stream.output_tokens,
        arrivals_s=stream.arrivals_s(rate_per_s),
        reuse=reuse,
    )
    return Latencies(ttft_ms=found.ttft_ms[stream.counted], tpot_ms=found.tpot_ms[stream.counted])


def _prefill(instance: InstanceModel, stream: Stream, rate_per_s: float, reuse: float) -> Latencies:
    """A request ends with its first token, which the client gets when the cache is handed over."""
    found = simulate(
        instance,
        stream.input_tokens,
        np.ones_like(stream.output_tokens),
        arrivals_s=stream.arrivals_s(rate_per_s),
        reuse=reuse,
    )
    c = instance.configuration
    cache_bytes = c.architecture.kv_cache_bytes_per_token(c.kv_cache) * stream.input_tokens
    handover_ms = cache_bytes / c.kv_transfer_bytes_per_s * 1e3
    return Latencies(ttft_ms=(found.ttft_ms + handover_ms)[stream.counted], tpot_ms=None)


def _decode(instance: InstanceModel, stream: Stream, rate_per_s: float) -> Latencies:
    """Requests come with their cache; waiting for a place in the batch counts, as the first token is out.

    Answers of one token never come here.
    """
    longer = stream.output_tokens > 1
    tpot = np.full(longer.size, np.nan)
    if longer.any():
        found = simulate(
            instance,
            stream.input_tokens[longer],
            stream.output_tokens[longer],
            arrivals_s=stream.arrivals_s(rate_per_s)[longer],
        )
        tpot[longer] = found.tpot_ms
    return Latencies(ttft_ms=None, tpot_ms=tpot[stream.counted])
