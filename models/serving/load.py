"""Instances under a steady load of random arrivals: batch, waiting, latency, memory.

All instances of a call are computed at once. Arrays have the axes [instance], [instance, level] over numbers
of running requests, or [instance, level, point] over prompt or output lengths.

With n requests running, a decode step takes d(n). One request adds P to the steps its prompt takes part in;
at throughput μ a share μ E[P] of the time goes to prompts, and a running request gets a token every
t = d / (1 − μ E[P]). Little's law, n = μ E[O − 1] t, gives the throughput with n running in closed form:

    μ(n) = n / (E[O − 1] d(n) + n E[P])

Random arrivals at rate λ then make the number running a birth–death process with rates λ and μ(n), whose
stationary law π(n) ∝ λⁿ / (μ(1) … μ(n)) does not depend on the law of the lengths (processor sharing is
insensitive). Latencies and memory are averaged over it: an arrival sees π.

Prompts queue for the steps as for a single server with general service times: Pollaczek–Khinchine mean;
waiting is zero with probability 1 − ρ and exponential otherwise (exact for M/M/1, close for M/D/1). While
there is a queue every step carries decodes beside a full budget of prompt tokens, which stretches the service
by d / P(budget).

Data-parallel ranks (of the attention) step together and each takes prompts of its own: k prompts in a step
cost what one costs, up to one a rank, since the experts see as many tokens of every rank as of the busiest.
A prompt alone holds all ranks for P; at throughput μ a step with prompts lasts P + d and collects
k = μ (P + d) of them, between 1 and the number of ranks, which divides the work P of each. Arrivals that are
not Poisson change the wait, the work and the law: `companions` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.serving.companions import companions
from models.serving.configuration import InstanceModel
from models.serving.curves import curve_at, surface_at
from models.serving.requests import Requests
from models.serving.stationary import stationary
from models.workload import POISSON, Burstiness, LengthDistribution

__all__ = ["Load", "State"]

Floats = npt.NDArray[np.float64]

SPREAD = 2.33
"""Standard deviations kept free in memory: what fluctuation exceeds 1 % of the time."""
RARE = 0.01
"""Probability at which a count of running requests is called its peak."""
LEVELS = 10
"""Numbers of running requests at which an instance is computed; linear between them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class State:
    """Instances at some arrival rate; float64[instance] unless said otherwise.

    Parameters
    ----------
    rate_per_s
        Arrivals.
    running
        Mean number of running requests.
    weight
        float64[instance, level]: probability of each level.
    utilisation
        Share of the prompt-carrying capacity in use; ≥ 1 means that the queue grows.
    wait_ms
        float64[instance, level]: mean waiting time of a prompt before its first step.
    busy
        float64[instance, level]: probability that a prompt waits at all.
    service_ms
        float64[instance, level, prompt]: first-token time without waiting.
    step_ms
        float64[instance, level]: time of a token when nothing is prefilled.
    tpot_ms
        float64[instance, level]: mean time per output token of a long request.
    longest_ms
        float64[instance, level]: time of a token when every step is full of prompts, with so many running or
        fewer. Infinite where prompts have steps of their own, of which several may come between two tokens.
    work_mean_ms, work_variance
        float64[instance, level, output]: prompt work of others that a request sits through while it decodes.
    cache_bytes
        Cache of one rank that is exceeded 1 % of the time.
    full
        Probability that as many requests run as may.
    """

    rate_per_s: Floats
    running: Floats
    weight: Floats
    utilisation: Floats
    wait_ms: Floats
    busy: Floats
    service_ms: Floats
    step_ms: Floats
    longest_ms: Floats
    tpot_ms: Floats
    work_mean_ms: Floats
    work_variance: Floats
    cache_bytes: Floats
    full: Floats


class Load:
    """Instances that serve requests of one length distribution.

    Parameters
    ----------
    instances
        At least one.
    lengths
        Of the requests that arrive.
    reuse
        Share of each prompt that is found in the cache, as of `models.serving.simulator.simulate`.
    burstiness
        Of their arrivals.
    """

    def __init__(
        self, instances: Sequence[InstanceModel], lengths: LengthDistribution, *, reuse: float = 0.0,
        burstiness: Burstiness = POISSON,
    ) -> None:  # fmt: skip
        requests = Requests.of(lengths, reuse=reuse)
        self.instances = tuple(instances)
        self.lengths, self.burstiness = lengths, burstiness
        self.inputs, self.input_weight = requests.inputs, requests.input_weight
        self.computed = requests.computed
        self.steps, self.output_weight = requests.steps, requests.output_weight
        self.mean_steps, self.context = requests.mean_steps, requests.context
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
        overheads = [c.overheads for c in config]
        self._scale = np.array([o.linear_scale for o in overheads])
        self._prefill_scale = np.array([o.prefill_scale for o in overheads])
        self._step_ms = kernels * np.array([o.kernel_ms for o in overheads])
        self._step_ms += np.array([o.step_ms for o in overheads])
        # each data-parallel rank schedules its own sequences
        self._sequence_ms = np.array([o.sequence_ms for o in overheads]) / self.dp
        self._prefill_step_ms = kernels * np.array([o.prefill_kernel_ms for o in overheads])
        self._poll = np.array([(c.engine.poll_steps - 1) / 2.0 for c in config])
        self.separate = np.array([c.engine.schedule == "prefill_first" for c in config])
        self.decodes = np.array([c.role != "prefill" for c in config])
        self.prefills = np.array([c.role != "decode" for c in config])
        self._alone = self.separate | ~self.decodes
        attention = np.stack([requests.prompt_attention(c.prefill_attention_ms) for c in curves])
        self._prompt_attention = attention * self._prefill_scale[:, None]
        self._width, self._made, self._draft = np.array([i.drafts for i in instances]).T
        self._front_ms = np.array([o.request_ms for o in overheads])[:, None] + np.outer(
            [o.prompt_ms_per_1k for o in overheads], self.inputs / 1000.0
        )
        moments = np.array([requests.cache_moments(i.memory.cache) for i in instances])
        self._cache, self._cache_squared = (moments[:, :2] * self.decodes[:, None]).T
        self._prompt_cache, self._prompt_cache_squared = moments[:, 2], moments[:, 3]
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
        self._tabulate()

    def input_mean(self, values: Floats) -> Floats:
        """Expectation over prompts of values [..., prompt].

        Not a matrix product: its rounding would depend on how many instances are computed together.
        """
        return np.asarray((values * self.input_weight).sum(axis=-1))

    def output_mean(self, values: Floats) -> Floats:
        """Expectation over outputs of values [..., output]."""
        return np.asarray((values * self.output_weight).sum(axis=-1))

    def pass_ms(self, tokens: Floats, *, rank_tokens: Floats, heads: Floats) -> Floats:
        """Operators of one pass but attention, for tokens of the instance, of a rank, and outputs."""
        linear, experts = curve_at(self._linear, rank_tokens), curve_at(self._experts, tokens)
        return linear + experts + curve_at(self._head, heads)

    def decode_ms(self, batch: Floats) -> Floats:
        """Time between two steps of a running request when nothing is prefilled: [instance].

        With speculation a step passes all drafts of a request, each drafted by a pass through one layer and
        the output head.
        """
        batch = np.maximum(batch, 1.0)
        micro = np.maximum(batch / self.pp, 1.0)  # each pipeline stage works on its share of the batch
        ranked = np.maximum(micro / self.dp, 1.0)
        wide = ranked * self._width
        linear = self.pass_ms(micro * self._width, rank_tokens=wide, heads=wide) * self._scale
        attention = surface_at(self._attention, ranked, self.context)
        once = linear + attention + self._step_ms + self._sequence_ms * micro
        layers = curve_at(self._linear, ranked) + curve_at(self._experts, micro)
        drafted = layers * self._scale + attention + self._step_ms
        once = once + self._draft * drafted + (self._width - 1.0) * curve_at(self._head, ranked) * self._scale
        sends = self.pp * curve_at(self._send, micro) * (self.pp > 1)
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
        dp = self.dp[:, None]
        batch = np.where(self._alone, 0.0, batch)[:, None]
        room = np.maximum(self.budget[:, None] - batch / dp, 1.0)
        steps = np.ceil(tokens / room)
        rest = tokens - (steps - 1.0) * room
        base = self.pass_ms(batch, rank_tokens=batch / dp, heads=batch / dp) * (batch > 0)
        full = self.pass_ms(room * dp + batch, rank_tokens=room + batch / dp, heads=batch / dp + 1.0)
        last = self.pass_ms(rest * dp + batch, rank_tokens=rest + batch / dp, heads=batch / dp + 1.0)
        scale = self._prefill_scale[:, None]
        extra = ((steps - 1.0) * full + last) * scale - steps * base * self._scale[:, None]
        overhead = self._prefill_step_ms + np.where(self._alone, self._step_ms, 0.0)
        extra = np.maximum(extra, 0.0) + steps * overhead[:, None]
        return extra, steps, extra + steps * ((self.pp - 1.0) * curve_at(self._send, self.budget))[:, None]

    def _tabulate(self) -> None:
        """Everything that does not depend on the arrival rate, at each level."""
        count, most = len(self.instances), self.max_num_seqs
        share = np.concatenate(([0.0], np.geomspace(1e-3, 1.0, LEVELS - 1)))
        self.levels = np.where(self.decodes[:, None], np.round(most[:, None] * share, 6), 0.0)
        shape = (count, LEVELS)
        # time of a token as an arrival sees it, beside n others; the decode step that its own steps carry
        self._step = np.zeros(shape)
        self._beside = np.zeros(shape)
        self._mu = np.zeros(shape)
        self._held = np.zeros((count, LEVELS, self.inputs.size))
        self._stretch = np.ones(shape)
        self._full_step = np.ones(shape)
        self._own = np.zeros((count, LEVELS, self.inputs.size))
        tokens = np.broadcast_to(self.computed, (count, self.inputs.size))
        attended = self.input_mean(self._prompt_attention) / np.maximum(self.input_mean(self.computed), 1e-9)
        for level in range(LEVELS):
            batch = self.levels[:, level]
            step = np.where(self.decodes, self.decode_ms(batch + 1.0), 0.0)
            extra, steps, first = self.prompt_ms(batch, tokens)
            extra = np.where(self.prefills[:, None], extra + self._prompt_attention, 0.0)
            first = np.where(self.prefills[:, None], first + self._prompt_attention, 0.0)
            held = extra * self.stage_share[:, None]  # a pipeline works on pp prompts at a time
            beside = np.where(self._alone, 0.0, step)
            room = np.maximum(self.budget - batch / self.dp, 1.0)
            whole, _, _ = self.prompt_ms(batch, room[:, None])
            alone = np.maximum((whole[:, 0] + attended * room) * self.stage_share, 1e-9)
            self._full_step[:, level] = alone * self.pp  # every stage may carry a budget at a time
            self._stretch[:, level] = 1.0 + beside / alone * self.prefills
            self._step[:, level] = step / self._made
            self._beside[:, level] = beside
            self._held[:, level] = held
            below = np.where(self.decodes, self.decode_ms(np.maximum(batch, 1.0)), 0.0)
            each = below / self._made
            self._mu[:, level] = self._throughput(np.maximum(batch, 1e-12), each, self.input_mean(held))
            own = first + steps * beside[:, None] + step[:, None] * self.prefills[:, None]
            # the engine looks at what has arrived every so many decode steps
            own = own + (self._poll * step * self.prefills * (batch > 0))[:, None]
            self._own[:, level] = own + self._front_ms + self._handover_ms
        full = np.maximum.accumulate(self._step + self._full_step / self._made[:, None], axis=1)
        self._longest = np.where(self.separate[:, None], np.inf, full)
        self._mean_held = self.input_mean(self._held)
        self._held_squared = self.input_mean(self._held**2)
        self._population()
        # the most an instance can process: the best of its levels, or a prompt after the other
        alone = self.dp / np.maximum(self._mean_held[:, 0], 1e-12)
        self.max_rate_per_s = np.where(self.decodes, self._mu.max(axis=1), alone) * 1e3

    def _throughput(self, batch: Floats, step: Floats, work: Floats) -> Floats:
        """μ with `batch` running, a decode step and a prompt's work: μ = n / (E[O − 1] d + n P / k(μ)).

        Solved in each of the ranges of k: one prompt a step; a prompt in every step; as many as ranks.
        """
        one = batch / np.maximum(self.mean_steps * step + batch * work, 1e-12)
        every = batch / np.maximum(self.mean_steps * (step + work), 1e-12)
        most = batch / np.maximum(self.mean_steps * step + batch * work / self.dp, 1e-12)
        return np.asarray(np.where(self.dp > 1.0, np.minimum(np.maximum(one, every), most), one))

    def _population(self) -> None:
        """The running sums of log μ at every number of requests, by groups of equal limits."""
        self._groups: list[tuple[npt.NDArray[np.int64], Floats, Floats, Floats]] = []
        for most in np.unique(self.max_num_seqs):
            rows = np.flatnonzero((self.max_num_seqs == most) & self.decodes)
            if not rows.size:
                continue
            numbers = np.arange(0.0, most + 1.0)
            levels = self.levels[rows[0]]
            index = np.clip(np.searchsorted(levels, numbers), 1, LEVELS - 1)
            right = (numbers - levels[index - 1]) / (levels[index] - levels[index - 1])
            spread = np.zeros((numbers.size, LEVELS))
            spread[np.arange(numbers.size), index - 1] = 1.0 - right
            spread[np.arange(numbers.size), index] += right
            # per request, μ(n) / n is smooth where μ starts from nothing
            each = self._mu[rows] / np.maximum(levels, 1e-12)
            mu = np.einsum("cl,nl->cn", each, spread) * numbers
            sums = np.concatenate((np.zeros((rows.size, 1)), np.cumsum(np.log(mu[:, 1:]), axis=1)), axis=1)
            self._groups.append((rows, sums, spread, mu[:, -1]))

    def at_rate(self, rate_per_s: Floats) -> State:
        """The state at an arrival rate each ([instance])."""
        rate = np.maximum(rate_per_s, 1e-12) / 1e3
        count = rate.size
        weight = np.zeros((count, LEVELS))
        weight[:, 0] = 1.0
        running, peak, full = np.zeros(count), np.zeros(count), np.zeros(count)
        excess = self.burstiness.excess * np.minimum(rate * 1e3 / self.burstiness.rate_per_s, 1.0)
        for rows, sums, spread, top in self._groups:
            law, over = stationary(rate[rows], sums, top, 1.0 + excess[rows] / 2)
            numbers = np.arange(law.shape[1], dtype=np.float64)
            weight[rows] = np.einsum("cn,nl->cl", law, spread)
            running[rows] = (law * numbers).sum(axis=1)
            above = np.cumsum(law[:, ::-1], axis=1)[:, ::-1]  # probability of n or more
            peak[rows] = (above > RARE).sum(axis=1) - 1.0
            full[rows] = over
        each, dp = rate[:, None], self.dp[:, None]
        together = np.clip(each * (self._mean_held + self._beside), 1.0, dp)
        uneven = excess[:, None]
        mean_held = self._mean_held / together
        held_squared = (self._held_squared + uneven * self._mean_held**2) / together
        share = np.minimum(each * mean_held, 0.999999)
        utilisation = each * self._mean_held * self._stretch / dp
        room = np.maximum(1.0 - utilisation, 1e-6)
        squared = self._held_squared * self._stretch**2
        service = self._mean_held * self._stretch
        wait = each * (squared + uneven * service**2) / (2.0 * room * dp**2)
        before = room * np.maximum(companions(each * service, uneven), 0.0)
        wait += before * service / dp
        # the step that runs, which does not end earlier for a rank without a prompt
        running_step = (
            np.minimum(each, 1.0 / np.maximum(self._mean_held * self._stretch, 1e-12)) * squared / 2
        )
        wait = wait + running_step * (1.0 - 1.0 / dp)
        # prompts that come behind it before its step begins are in the same step if they fit, and all get
        # their first token at its end: as much work again as arrives while it waits
        packed = np.clip(self.budget / self.input_mean(self.computed) - 1.0, 0.0, 1.0)[:, None]
        joined = wait * (1.0 + packed * np.minimum(utilisation, 1.0))
        tpot = self._step / (1.0 - share)
        long = np.maximum(self.steps, 1.0)
        # the prompts that arrive while it decodes, and those that came behind it while its own prompt waited:
        # a busy period begun by that much work (its mean and variance), but no more than its steps can carry
        spread_of_sojourn = wait**2 + squared - service**2
        free = (1.0 - share)[:, :, None]
        window = (self._step[:, :, None] * long + (wait + service)[:, :, None]) / free
        beside = companions(each[:, :, None] * window, uneven[:, :, None])
        prompt = self._mean_held[:, :, None] / together[:, :, None]
        work = share[:, :, None] * window + beside * prompt
        work_variance = (each * held_squared)[:, :, None] * window / free**2
        work_variance = work_variance + np.maximum(beside, 0.0) * (1.0 + beside) * prompt**2
        begun = (share**2 * np.maximum(spread_of_sojourn, 0.0))[:, :, None]
        work_variance = work_variance + begun / free**2
        carried = self._full_step[:, :, None] * long / self._made[:, None, None]
        capped = np.minimum(work, carried)
        work_variance = work_variance * (capped / np.maximum(work, 1e-12)) ** 2
        work = capped
        lasting = (weight[:, :, None] * self._own).sum(axis=1)
        waiting = rate * ((weight * wait).sum(axis=1) + self.input_mean(lasting)) / self.dp
        cached, squared = self._cache, self._cache_squared
        mean = peak / self.dp * cached + waiting * self._prompt_cache
        variance = running / self.dp * np.maximum(squared - cached**2, 0.0)
        variance = variance + waiting * self._prompt_cache_squared
        return State(
            rate_per_s=rate * 1e3,
            running=np.where(self.decodes, running, utilisation[:, 0]),
            weight=weight,
            utilisation=(weight * utilisation).sum(axis=1),
            wait_ms=joined,
            busy=np.clip(each * service + before / (1.0 + before), np.maximum(utilisation, 1e-9), 1.0),
            service_ms=self._own,
            step_ms=self._step,
            longest_ms=self._longest,
            tpot_ms=tpot,
            work_mean_ms=work,
            work_variance=work_variance,
            cache_bytes=mean + SPREAD * np.sqrt(variance),
            full=full,
        )
