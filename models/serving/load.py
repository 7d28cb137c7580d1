"""Instances under a steady load of random arrivals: batch, waiting, latency, memory.

All instances of a call are computed at once; arrays have the axes [instance, prompt] or [instance, output],
over weighted points of the prompt and of the output length.

The state of an instance is its mean number of running requests B. With d(B) the time of a decode step, P the
extra time that the prompt of one request adds to the steps it takes part in, and O its output length:

* a share ρ = λ E[P] of the time goes to prompts, so a running request gets a token every μ = d / (1 − ρ);
* Little's law, B = λ E[O − 1] μ, gives the rate in closed form: λ = B / (E[O − 1] d + B E[P]).

Prompts queue for the steps as for a single server with general service times: Pollaczek–Khinchine mean;
waiting is zero with probability 1 − ρ' and exponential otherwise (exact for M/M/1, close for M/D/1). While
there is a queue every step carries decodes beside a full budget of prompt tokens, which stretches the service
by d / P(budget).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.serving.configuration import InstanceModel
from models.serving.curves import BATCHES, CONTEXTS, TOKENS
from models.workload import LengthDistribution

__all__ = ["Load", "State"]

Floats = npt.NDArray[np.float64]

SPREAD = 2.33
"""Standard deviations kept free in memory and batch: what fluctuation exceeds 1 % of the time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """Instances at some number of running requests; float64[instance] unless said otherwise.

    Parameters
    ----------
    rate_per_s
        Arrivals that keep that many running.
    utilisation
        Share of the prompt-carrying capacity in use (ρ'); ≥ 1 means that the queue grows.
    wait_ms
        Mean waiting time of a prompt before its first step.
    service_ms
        float64[instance, prompt]: first-token time without waiting.
    tpot_mean_ms, tpot_std_ms
        Time per output token: mean, and float64[instance, output] its spread between requests.
    cache_bytes
        Cache of one rank that is exceeded 1 % of the time.
    sequences
        Running requests exceeded 1 % of the time.
    """

    rate_per_s: Floats
    running: Floats
    utilisation: Floats
    wait_ms: Floats
    service_ms: Floats
    tpot_mean_ms: Floats
    tpot_std_ms: Floats
    cache_bytes: Floats
    sequences: Floats


class Load:
    """Instances that serve requests of one length distribution.

    Parameters
    ----------
    instances
        At least one.
    lengths
        Of the requests that arrive.
    """

    def __init__(self, instances: Sequence[InstanceModel], lengths: LengthDistribution) -> None:
        points = lengths.points()
        self.instances = tuple(instances)
        self.lengths = lengths
        self.inputs, self.input_weight = _marginal(points.input_tokens, points.weight, 24)
        outputs, self.output_weight = _marginal(points.output_tokens, points.weight, 12)
        self.steps = np.maximum(outputs - 1.0, 0.0)
        steps = np.maximum(points.output_tokens - 1.0, 0.0)
        self.mean_steps = points.mean(steps)
        held = points.input_tokens + points.output_tokens / 2
        # a token in the running batch is from a long output more often than from a short one
        self.context = points.mean(steps * held) / max(self.mean_steps, 1e-9)
        curves = [i.curves for i in instances]
        config = [i.configuration for i in instances]
        self._linear = np.stack([c.linear_ms for c in curves])
        self._experts = np.stack([c.experts_ms for c in curves])
        self._head = np.stack([c.head_ms for c in curves])
        self._send = np.stack([c.send_ms for c in curves])
        self._attention = np.stack([c.decode_attention_ms for c in curves])
        self.dp = np.array([float(c.parallelism.data_parallel_size) for c in config])
        self.pp = np.array([float(c.parallelism.pipeline_parallel_size) for c in config])
        self.stage_share = np.array([c.stage_share for c in curves])
        self.budget = np.array([float(c.max_num_batched_tokens) for c in config])
        self.max_num_seqs = np.array([float(c.max_num_seqs) for c in config])
        self.cache_room = np.array([i.memory.kv_cache_bytes for i in instances])
        kernels = np.array([float(c.small_kernels) for c in curves])
        overheads = [c.engine.overheads for c in config]
        self._scale = np.array([o.linear_scale for o in overheads])
        self._prefill_scale = np.array([o.prefill_scale for o in overheads])
        self._step_ms = kernels * np.array([o.kernel_ms for o in overheads])
        self._step_ms += np.array([o.step_ms for o in overheads])
        self._sequence_ms = np.array([o.sequence_ms for o in overheads])
        self._prefill_step_ms = kernels * np.array([o.prefill_kernel_ms for o in overheads])
        self.separate = np.array([c.engine.schedule == "prefill_first" for c in config])
        self.decodes = np.array([c.role != "prefill" for c in config])
        self.prefills = np.array([c.role != "decode" for c in config])
        self._alone = self.separate | ~self.decodes
        attention = np.stack([np.interp(self.inputs, TOKENS, c.prefill_attention_ms) for c in curves])
        beyond = np.maximum(self.inputs / TOKENS[-1], 1.0) ** 2
        self._prompt_attention = attention * beyond * self._prefill_scale[:, None]
        self._front_ms = np.array([o.request_ms for o in overheads])[:, None] + np.outer(
            [o.prompt_ms_per_1k for o in overheads], self.inputs / 1000.0
        )
        # cache of a request over its decode steps, and its square: the mean and variance of shot noise
        caches = [i.memory.cache.sequence_bytes(held) for i in instances]
        self._cache = np.array([points.mean(steps * c) for c in caches]) * self.decodes
        self._cache_squared = np.array([points.mean(steps * c**2) for c in caches]) * self.decodes
        self._prompt_cache = np.stack([i.memory.cache.sequence_bytes(self.inputs) for i in instances])
        handover = [
            np.zeros_like(self.inputs)
            if c.role != "prefill"
            else c.architecture.kv_cache_bytes_per_token(c.kv_cache)
            * self.inputs
            / c.kv_transfer_bytes_per_s
            * 1e3
            for c in config
        ]
        self._handover_ms = np.stack(handover)

    def input_mean(self, values: Floats) -> Floats:
        """Expectation over prompts of values [instance, prompt].

        Not a matrix product: its rounding would depend on how many instances are computed together.
        """
        return np.asarray((values * self.input_weight).sum(axis=-1))

    def output_mean(self, values: Floats) -> Floats:
        """Expectation over outputs of values [instance, output]."""
        return np.asarray((values * self.output_weight).sum(axis=-1))

    def pass_ms(self, tokens: Floats, *, rank_tokens: Floats, heads: Floats) -> Floats:
        """Operators of one pass but attention, for tokens of the instance, of a rank, and outputs."""
        linear, experts = _curve(self._linear, rank_tokens), _curve(self._experts, tokens)
        return linear + experts + _curve(self._head, heads)

    def decode_ms(self, batch: Floats) -> Floats:
        """Time between two tokens of a running request when nothing is prefilled: [instance]."""
        batch = np.maximum(batch, 1.0)
        micro = np.maximum(batch / self.pp, 1.0)  # each pipeline stage works on its share of the batch
        ranked = np.maximum(micro / self.dp, 1.0)
        linear = self.pass_ms(micro, rank_tokens=ranked, heads=ranked) * self._scale
        attention = _surface(self._attention, ranked, self.context)
        once = linear + attention + self._step_ms + self._sequence_ms * micro
        sends = self.pp * _curve(self._send, micro) * (self.pp > 1)
        value: Floats = once * self.pp * self.stage_share + sends
        return value

    def prompt_ms(self, batch: Floats, tokens: Floats) -> tuple[Floats, Floats, Floats]:
        """What prompts of `tokens` ([instance, point]) add to the steps beside `batch` decodes.

        Returns
        -------
        extra, steps, first
            Time added to the steps, without attention to the prompt itself; number of steps; and latency of
            those steps from the first to the last. All [instance, prompt].
        """
        batch = np.where(self._alone, 0.0, batch)[:, None]
        room = np.maximum(self.budget[:, None] - batch, 1.0)
        steps = np.ceil(tokens / room)
        rest = tokens - (steps - 1.0) * room
        dp = self.dp[:, None]
        base = self.pass_ms(batch, rank_tokens=batch / dp, heads=batch / dp) * (batch > 0)
        full = self.pass_ms(room + batch, rank_tokens=room + batch / dp, heads=batch / dp + 1.0)
        last = self.pass_ms(rest + batch, rank_tokens=rest + batch / dp, heads=batch / dp + 1.0)
        scale = self._prefill_scale[:, None]
        extra = ((steps - 1.0) * full + last) * scale - steps * base * self._scale[:, None]
        overhead = self._prefill_step_ms + np.where(self._alone, self._step_ms, 0.0)
        extra = np.maximum(extra, 0.0) + steps * overhead[:, None]
        return extra, steps, extra + steps * ((self.pp - 1.0) * _curve(self._send, self.budget))[:, None]

    def at(self, running: Floats) -> State:
        """The state with `running` requests in the batch; for prefill instances: with that utilisation."""
        decoding = self.decodes
        batch = np.where(decoding, running, 0.0)
        step = np.where(decoding, self.decode_ms(batch + 1.0), 0.0)  # an arrival finds B others beside itself
        tokens = np.broadcast_to(self.inputs, (running.size, self.inputs.size))
        extra, steps, first = self.prompt_ms(batch, tokens)
        extra = np.where(self.prefills[:, None], extra + self._prompt_attention, 0.0)
        first = np.where(self.prefills[:, None], first + self._prompt_attention, 0.0)
        # a pipeline works on pp prompts at a time, data-parallel ranks on one each
        held = extra * (self.stage_share / self.dp)[:, None]
        mean_held = self.input_mean(held)
        beside = np.where(self._alone, 0.0, step)
        whole, _, _ = self.prompt_ms(batch, np.maximum(self.budget - batch, 1.0)[:, None])
        stretch = 1.0 + beside / np.maximum(whole[:, 0] * self.stage_share, 1e-9) * self.prefills
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = batch / (self.mean_steps * step + batch * mean_held)
            alone = np.where(mean_held > 0, running / mean_held, 0.0)
        rate = np.where(decoding, np.nan_to_num(rate), alone)
        share = np.minimum(rate * mean_held, 0.999999)
        service = held * stretch[:, None]
        utilisation = rate * self.input_mean(service)
        room = np.maximum(1.0 - utilisation, 1e-6)
        wait = rate * self.input_mean(service**2) / (2.0 * room)
        tpot = step / (1.0 - share)
        own = first + steps * beside[:, None] + step[:, None] * self.prefills[:, None]
        own = own + self._front_ms + self._handover_ms
        return self._state(rate, running, utilisation, wait, own, tpot, step, held, batch)

    def _state(
        self,
        rate: Floats,
        running: Floats,
        utilisation: Floats,
        wait: Floats,
        own: Floats,
        tpot: Floats,
        step: Floats,
        held: Floats,
        batch: Floats,
    ) -> State:
        """Spreads and memory around the means."""
        long = np.maximum(self.steps, 1.0)
        interference = (rate * tpot * self.input_mean(held**2))[:, None] / long
        slope = np.where(self.decodes, self.decode_ms(batch + 2.0) - self.decode_ms(batch + 1.0), 0.0)
        slowed = tpot / np.maximum(step, 1e-9)
        memory_of_batch = self.mean_steps / (self.mean_steps + long)
        fluctuation = (slope * slowed) ** 2 * batch
        std = np.sqrt(interference + fluctuation[:, None] * memory_of_batch)
        waiting = rate * (wait + self.input_mean(own)) / self.dp
        lives = rate * tpot / self.dp
        mean = lives * self._cache + waiting * self.input_mean(self._prompt_cache)
        variance = lives * self._cache_squared + waiting * self.input_mean(self._prompt_cache**2)
        return State(
            rate_per_s=rate * 1e3,
            running=running,
            utilisation=utilisation,
            wait_ms=wait,
            service_ms=own,
            tpot_mean_ms=tpot,
            tpot_std_ms=std,
            cache_bytes=mean + SPREAD * np.sqrt(variance),
            sequences=batch + SPREAD * np.sqrt(batch),
        )


def _marginal(values: Floats, weight: Floats, count: int) -> tuple[Floats, Floats]:
    """At most about `count` points with the same mean: neighbours merged, the largest kept apart."""
    order = np.argsort(values, kind="stable")
    values, weight = values[order], weight[order]
    level = np.cumsum(weight) - weight / 2
    tail = 1.0 - 1.0 / count / 2.0 ** np.arange(1, 5)
    group = np.searchsorted(np.unique(np.concatenate((np.arange(1, count) / count, tail))), level)
    _, group = np.unique(group, return_inverse=True)
    total = np.bincount(group, weight).astype(np.float64)
    return np.bincount(group, weight * values) / total, total


def _curve(table: Floats, x: Floats) -> Floats:
    """Linear interpolation of `table` [instance, TOKENS] at `x` [instance] or [instance, point]."""
    index = np.clip(np.searchsorted(TOKENS, x), 1, TOKENS.size - 1)
    left, right = TOKENS[index - 1], TOKENS[index]
    rows = np.arange(table.shape[0]).reshape((-1,) + (1,) * (x.ndim - 1))
    low, high = table[rows, index - 1], table[rows, index]
    value: Floats = low + (high - low) * (np.maximum(x, TOKENS[0]) - left) / (right - left)
    return value


def _surface(table: Floats, batch: Floats, context: float) -> Floats:
    """Bilinear interpolation of `table` [instance, BATCHES, CONTEXTS] at a batch each and one context."""
    j = int(np.clip(np.searchsorted(CONTEXTS, context), 1, CONTEXTS.size - 1))
    f = (max(context, 1.0) - CONTEXTS[j - 1]) / (CONTEXTS[j] - CONTEXTS[j - 1])
    row = table[:, :, j - 1] * (1.0 - f) + table[:, :, j] * f
    i = np.clip(np.searchsorted(BATCHES, batch), 1, BATCHES.size - 1)
    g = (np.maximum(batch, 1.0) - BATCHES[i - 1]) / (BATCHES[i] - BATCHES[i - 1])
    index = np.arange(table.shape[0])
    value: Floats = row[index, i - 1] * (1.0 - g) + row[index, i] * g
    return value
