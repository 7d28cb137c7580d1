"""A discrete-event simulation of prefill and decode instances, or of instances that do both.

Every instance is a chain of pipeline stages. A stage takes, when it is free, a batch of whole prompts if any
wait (first come first served, up to the instance's token limit), else everything that waits to be decoded; it
passes the batch on, and after the last stage prompts have their first token and running requests one token
more. Prefill instances hand finished prompts to decode instances, which pull them when their cache has room.
New requests go to the prefill instance with the fewest prompt tokens waiting or running, prompts to the
decode instance with the fewest reserved cache tokens, ties to the first.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from planner.split.latency import StepLatency
from planner.split.requests import RequestSample

__all__ = ["GiveUp", "Served", "Server", "simulate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One instance.

    Parameters
    ----------
    latency
        Time of one stage.
    stages
        Pipeline stages.
    gpus
        Of the whole instance.
    kv_cache_tokens
        Tokens of cache. A request is admitted when its whole length fits beside those reserved before it.
    prefill_batch_tokens
        Prompt tokens of one batch at most; a longer prompt is a batch of its own.
    """

    latency: StepLatency
    stages: int
    gpus: int
    kv_cache_tokens: float
    prefill_batch_tokens: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """What the requests saw, float64[n] each.

    Requests that a run gave up on have infinite times.

    ``ttft_ms``: until the first token, the last step of prefill. ``tpot_ms``: mean time of each further
    token, handing over and waiting for the decode instance included; 0 for answers of one token. ``end_s``:
    when the last token was there.
    """

    ttft_ms: npt.NDArray[np.float64]
    tpot_ms: npt.NDArray[np.float64]
    end_s: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Stop a run whose verdict is known: after more than `misses` requests were slower than either target."""

    ttft_ms: float
    tpot_ms: float
    misses: int


class _Cohort:
    """Requests that are decoded together: one step adds one token to each.

    Only sums are kept, and a heap of (step at which it ends, request), so that a step costs the same however
    many requests there are.
    """

    __slots__ = ("context", "ends", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self.context = 0
        self.ends: list[tuple[int, int]] = []

    def add(self, request: int, context: int, remaining: int) -> None:
        heapq.heappush(self.ends, (self.steps + remaining, request))
        self.context += context

    def absorb(self, other: _Cohort) -> None:
        for end, request in other.ends:
            heapq.heappush(self.ends, (self.steps + end - other.steps, request))
        self.context += other.context


class _Stage:
    __slots__ = ("busy", "decodes", "prompts")

    def __init__(self) -> None:
        self.busy = False
        self.prompts: deque[list[int]] = deque()
        self.decodes: deque[_Cohort] = deque()


class _Instance:
    __slots__ = ("pending_tokens", "queue", "reserved", "server", "stages", "waiting")

    def __init__(self, server: Server) -> None:
        self.server = server
        self.stages = [_Stage() for _ in range(server.stages)]
        self.queue: deque[int] = deque()
        self.pending_tokens = 0
        self.waiting: deque[int] = deque()
        self.reserved = 0


class _Simulation:
    """State of one run; times in milliseconds."""

    def __init__(
        self,
        sample: RequestSample,
        rate_per_s: float,
        prefill: Sequence[Server],
        decode: Sequence[Server],
        transfer_ms: float,
        give_up: GiveUp | None,
    ) -> None:
        self.inputs = sample.input_tokens.tolist()
        self.outputs = sample.output_tokens.tolist()
        self.arrivals: list[float] = (sample.arrivals_s(rate_per_s) * 1e3).tolist()
        self.prefill = [_Instance(s) for s in prefill]
        self.decode = [_Instance(s) for s in decode] if decode else self.prefill
        self.transfer_ms = transfer_ms
        self.give_up = give_up
        self.late = [0, 0]
        self.first = [math.inf] * len(self.inputs)
        self.last = [math.inf] * len(self.inputs)
        self.events: list[tuple[float, int, _Instance, int, list[int] | _Cohort]] = []
        self.order = 0

    def run(self) -> None:
        n, upcoming = len(self.arrivals), 0
        while upcoming < n or self.events:
            if self.give_up is not None and max(self.late) > self.give_up.misses:
                return
            if upcoming < n and (not self.events or self.arrivals[upcoming] <= self.events[0][0]):
                self._arrive(upcoming, self.arrivals[upcoming])
                upcoming += 1
                continue
            now, _, instance, index, batch = heapq.heappop(self.events)
            if index < 0:
                assert isinstance(batch, list)
                self._join(instance, batch[0])
                self._work(instance, 0, now)
                continue
            instance.stages[index].busy = False
            self._finish(instance, index, batch, now)
            self._work(instance, index, now)

    def _push(self, at: float, instance: _Instance, index: int, batch: list[int] | _Cohort) -> None:
        self.order += 1
        heapq.heappush(self.events, (at, self.order, instance, index, batch))

    def _arrive(self, request: int, now: float) -> None:
        instance = min(self.prefill, key=lambda i: i.pending_tokens)
        instance.queue.append(request)
        instance.pending_tokens += self.inputs[request]
        self._work(instance, 0, now)

    def _next_prompts(self, instance: _Instance, index: int) -> list[int] | None:
        if index:
            waiting = instance.stages[index].prompts
            return waiting.popleft() if waiting else None
        batch: list[int] = []
        tokens = 0
        colocated = self.decode is self.prefill
        while instance.queue:
            request = instance.queue[0]
            size = self.inputs[request]
            whole = size + self.outputs[request]
            if batch and tokens + size > instance.server.prefill_batch_tokens:
                break
            if colocated:
                if instance.reserved + whole > instance.server.kv_cache_tokens:
                    break
                instance.reserved += whole
            instance.queue.popleft()
            batch.append(request)
            tokens += size
        return batch or None

    def _work(self, instance: _Instance, index: int, now: float) -> None:
        stage = instance.stages[index]
        if stage.busy:
            return
        prompts = self._next_prompts(instance, index)
        if prompts is not None:
            stage.busy = True
            lengths = [self.inputs[r] for r in prompts]
            self._push(now + instance.server.latency.prefill_ms(lengths), instance, index, prompts)
        elif stage.decodes:
            cohort = stage.decodes.popleft()
            while index == 0 and stage.decodes:
                cohort.absorb(stage.decodes.popleft())
            stage.busy = True
            batch = len(cohort.ends)
            duration = instance.server.latency.decode_ms(batch, cohort.context + batch)
            self._push(now + duration, instance, index, cohort)

    def _finish(self, instance: _Instance, index: int, batch: list[int] | _Cohort, now: float) -> None:
        last = index + 1 == len(instance.stages)
        if isinstance(batch, list):
            if not last:
                instance.stages[index + 1].prompts.append(batch)
                self._work(instance, index + 1, now)
                return
            for request in batch:
                self._first_token(instance, request, now)
            self._work(instance, 0, now)
            return
        if not last:
            instance.stages[index + 1].decodes.append(batch)
            self._work(instance, index + 1, now)
            return
        batch.steps += 1
        batch.context += len(batch.ends)
        while batch.ends and batch.ends[0][0] <= batch.steps:
            _, request = heapq.heappop(batch.ends)
            batch.context -= self.inputs[request] + self.outputs[request]
            self.last[request] = now
            if self.give_up is not None:
                further = (now - self.first[request]) / (self.outputs[request] - 1)
                self.late[1] += further > self.give_up.tpot_ms
            self._release(instance, request, now)
        if batch.ends:
            instance.stages[0].decodes.append(batch)
        self._work(instance, 0, now)

    def _first_token(self, instance: _Instance, request: int, now: float) -> None:
        self.first[request] = now
        instance.pending_tokens -= self.inputs[request]
        if self.give_up is not None:
            self.late[0] += now - self.arrivals[request] > self.give_up.ttft_ms
        if self.outputs[request] == 1:
            self.last[request] = now
        if self.decode is self.prefill:
            if self.outputs[request] > 1:
                self._join(instance, request)
            else:
                instance.reserved -= self.inputs[request] + 1
            return
        if self.outputs[request] > 1:
            chosen = min(self.decode, key=lambda i: i.reserved)
            chosen.waiting.append(request)
            self._pull(chosen, now)

    def _join(self, instance: _Instance, request: int) -> None:
        cohort = _Cohort()
        cohort.add(request, self.inputs[request] + 1, self.outputs[request] - 1)
        instance.stages[0].decodes.append(cohort)

    def _pull(self, instance: _Instance, now: float) -> None:
        while instance.waiting:
            request = instance.waiting[0]
            whole = self.inputs[request] + self.outputs[request]
            if instance.reserved + whole > instance.server.kv_cache_tokens:
                return
            instance.waiting.popleft()
            instance.reserved += whole
            self._push(now + self.transfer_ms, instance, -1, [request])

    def _release(self, instance: _Instance, request: int, now: float) -> None:
        instance.reserved -= self.inputs[request] + self.outputs[request]
        if self.decode is not self.prefill:
            self._pull(instance, now)


def simulate(
    sample: RequestSample,
    rate_per_s: float,
    *,
    prefill: Sequence[Server],
    decode: Sequence[Server] = (),
    transfer_ms: float = 0.0,
    give_up: GiveUp | None = None,
) -> Served:
    """Serve the sample at a rate.

    Parameters
    ----------
    prefill, decode
        Instances. Without `decode` ones those of `prefill` do both, prompts first (no chunking).
    transfer_ms
        For the cache of one request to reach its decode instance.
    give_up
        When to stop early; only the attainment of its targets, known to be too low, can then be read.

    Raises
    ------
    InvalidInput
        No instance, or a request that no cache can ever hold.
    """
    if not prefill:
        raise InvalidInput("a simulation needs at least one prefill instance")
    longest = int((sample.input_tokens + sample.output_tokens).max())
    room = min(s.kv_cache_tokens for s in (decode or prefill))
    if longest > room:
        raise InvalidInput(f"a request of {longest} tokens does not fit into a cache of {room:g} tokens")
    run = _Simulation(sample, rate_per_s, prefill, decode, transfer_ms, give_up)
    run.run()
    first, last, arrived = np.array(run.first), np.array(run.last), np.array(run.arrivals)
    done = np.isfinite(last)
    return Served(
        ttft_ms=first - arrived,
        tpot_ms=np.where(done, last - np.where(done, first, 0.0), np.inf)
        / np.maximum(sample.output_tokens - 1, 1),
        end_s=last / 1e3,
    )
