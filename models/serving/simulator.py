"""A discrete-event simulation of one engine: continuous batching step by step, decode runs jumped.

Between two events (a request ends, one becomes ready, the cache is full) a batch that only decodes changes
nothing but its context, so many steps are one event; the cost is that of events, not of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving.configuration import InstanceModel
from models.serving.curves import BATCHES, CONTEXTS, TOKENS

__all__ = ["Simulation", "simulate"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

POLICIES = {"chunked": 0, "prefill_first": 1, "packed": 2}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation:
    """What happened to each request; float64[n] in ms from the start, in the order they were given.

    Parameters
    ----------
    sent_ms, first_token_ms, end_ms
        When the client sent it, got its first token, got its last.
    output_tokens
        int64[n].
    steps, prefill_steps, preemptions
        Counts.
    peak_cached_tokens, peak_running
        The most at any time.
    """

    sent_ms: Floats
    first_token_ms: Floats
    end_ms: Floats
    output_tokens: Ints
    steps: int
    prefill_steps: int
    preemptions: int
    peak_cached_tokens: int
    peak_running: int

    @property
    def ttft_ms(self) -> Floats:
        """Time to first token: from sending to the first token."""
        return self.first_token_ms - self.sent_ms

    @property
    def tpot_ms(self) -> Floats:
        """Time per output token after the first: (end − first token) / (tokens − 1); NaN for one token."""
        steps = self.output_tokens - 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(steps > 0, (self.end_ms - self.first_token_ms) / steps, np.nan))

    @property
    def latency_ms(self) -> Floats:
        """End to end: from sending to the last token."""
        return self.end_ms - self.sent_ms

    @property
    def output_tokens_per_s(self) -> float:
        """Tokens made per second between the first sending and the last token."""
        span = float(self.end_ms.max() - self.sent_ms.min())
        return float(self.output_tokens.sum()) / span * 1e3

    def goodput_per_s(self, *, ttft_ms: float, tpot_ms: float) -> float:
        """Requests per second that keep both targets (a request of one token has no TPOT)."""
        tpot = self.tpot_ms
        good = (self.ttft_ms <= ttft_ms) & ((tpot <= tpot_ms) | np.isnan(tpot))
        return float(good.sum()) / float(self.end_ms.max() - self.sent_ms.min()) * 1e3


def simulate(
    instance: InstanceModel,
    input_tokens: npt.ArrayLike,
    output_tokens: npt.ArrayLike,
    *,
    arrivals_s: npt.ArrayLike | None = None,
    concurrency: int | None = None,
) -> Simulation:
    """Serve requests on one instance.

    Parameters
    ----------
    input_tokens, output_tokens
        Whole numbers ≥ 1, one a request.
    arrivals_s
        Ascending seconds: an open loop.
    concurrency
        Requests in flight: a closed loop, in which a client sends its next request when one ends. Exactly
        one of the two must be given.

    Raises
    ------
    InvalidInput
        Lengths, arrivals or concurrency that cannot be; a request that the cache cannot hold.
    """
    inputs, outputs = np.asarray(input_tokens), np.asarray(output_tokens)
    if inputs.ndim != 1 or inputs.shape != outputs.shape or not inputs.size:
        raise InvalidInput("input_tokens and output_tokens must be equally long lists, not empty")
    if (inputs < 1).any() or (outputs < 1).any():
        raise InvalidInput("every request needs at least one input and one output token")
    inputs, outputs = inputs.astype(np.int64), outputs.astype(np.int64)
    if (arrivals_s is None) == (concurrency is None):
        raise InvalidInput("give arrivals_s (open loop) or concurrency (closed loop): one of the two")
    arrivals = np.zeros(inputs.size)
    if arrivals_s is not None:
        arrivals = np.asarray(arrivals_s, dtype=np.float64) * 1e3
        if arrivals.shape != inputs.shape or not np.isfinite(arrivals).all() or (np.diff(arrivals) < 0).any():
            raise InvalidInput("arrivals_s must be finite, ascending, one a request")
    if concurrency is not None and concurrency < 1:
        raise InvalidInput(f"concurrency must be ≥ 1, got {concurrency}")
    config, curves, memory = instance.configuration, instance.curves, instance.memory
    longest = int((inputs + outputs).max())
    if longest > memory.kv_cache_tokens:
        raise InvalidInput(
            f"a request of {longest:,} tokens does not fit the cache of {memory.kv_cache_tokens:,} tokens"
        )
    from models.serving.kernel import run

    engine = config.engine
    sent, first, end, counters = run(
        POLICIES[engine.schedule],
        arrivals,
        inputs,
        outputs,
        concurrency or 0,
        max(config.max_num_batched_tokens, 1) * config.parallelism.data_parallel_size,
        config.max_num_seqs,
        float(memory.kv_cache_tokens),
        engine.output_reserve,
        config.overheads.request_ms,
        config.overheads.prompt_ms_per_1k,
        TOKENS,
        curves.linear_ms,
        curves.experts_ms,
        curves.head_ms,
        curves.prefill_attention_ms,
        BATCHES,
        CONTEXTS,
        curves.decode_attention_ms,
        curves.send_ms,
        step_costs(instance),
    )
    return Simulation(
        sent_ms=sent,
        first_token_ms=first,
        end_ms=end,
        output_tokens=outputs,
        steps=int(counters[0]),
        prefill_steps=int(counters[1]),
        preemptions=int(counters[2]),
        peak_cached_tokens=int(counters[3]),
        peak_running=int(counters[4]),
    )


def step_costs(instance: InstanceModel) -> Floats:
    """The scalars of `kernel.step_ms`, in its order."""
    curves, overheads = instance.curves, instance.configuration.overheads
    parallelism = curves.parallelism
    return np.array(
        [
            overheads.linear_scale,
            overheads.prefill_scale,
            overheads.kernel_ms * curves.small_kernels,
            overheads.prefill_kernel_ms * curves.small_kernels,
            overheads.step_ms,
            overheads.sequence_ms,
            float(parallelism.data_parallel_size),
            float(parallelism.pipeline_parallel_size),
            curves.stage_share,
        ]
    )
