"""A discrete-event simulation of one engine: continuous batching step by step, decode runs jumped.

Between two events (a request ends, one becomes ready, the cache is full) a batch that only decodes changes
nothing but its context, so many steps are one event; the cost is that of events, not of tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.errors import InvalidInput
from models.serving.configuration import InstanceModel
from models.serving.curves import BATCHES, CONTEXTS, TOKENS
from models.serving.speculation import Speculation
from models.workload.prefixes import PrefixBlocks

__all__ = ["Simulation", "simulate"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MAX_CLASSES = 16
"""Priorities told apart in one simulation."""
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
        The most at any time; blocks that no running request reads do not count.
    computed_prompt_tokens, reused_prompt_tokens, recomputed_tokens
        Tokens prefilled, found in the cache instead, and prefilled again because they were preempted:
        computed + reused = prompts + recomputed.
    peak_kept_tokens
        The most in the cache, with blocks that no running request reads; 0 without prefix blocks.
    token_gaps
        int64[bins]: how many times between two tokens of a request were that long (`itl_ms` reads them).
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
    computed_prompt_tokens: int = 0
    reused_prompt_tokens: int = 0
    recomputed_tokens: int = 0
    peak_kept_tokens: int = 0
    token_gaps: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def ttft_ms(self) -> Floats:
        """Time to first token: from sending to the first token."""
        return self.first_token_ms - self.sent_ms

    @property
    def tpot_ms(self) -> Floats:
        """Time per output token after the first: (end - first token) / (tokens - 1); NaN for one token."""
        steps = self.output_tokens - 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(steps > 0, (self.end_ms - self.first_token_ms) / steps, np.nan))

    @property
    def itl_mean_ms(self) -> float:
        """Mean time between two tokens of a request, over all such times; NaN where there is none."""
        longer = self.output_tokens > 1
        count = float((self.output_tokens[longer] - 1).sum())
        return float((self.end_ms - self.first_token_ms)[longer].sum()) / count if count else float("nan")

    def itl_ms(self, percentile: float) -> float:
        """A percentile of the times between two tokens, to half a per cent; NaN where there is none."""
        from models.serving.simulation.loop import GAP_RATIO, SHORTEST_GAP_MS

        seen = np.cumsum(self.token_gaps)
        if not seen.size or not seen[-1]:
            return float("nan")
        index = int(np.searchsorted(seen, percentile / 100.0 * seen[-1]))
        return SHORTEST_GAP_MS * float(GAP_RATIO ** (min(index, seen.size - 1) + 0.5))

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
    priorities: npt.ArrayLike | None = None,
    prefixes: PrefixBlocks | None = None,
    reuse: float = 0.0,
) -> Simulation:
    """Serve requests on one instance.

    A ``decode`` instance is given requests whose prompts are in its cache on arrival, with the first token
    made: `first_token_ms` is then the arrival, and TPOT contains the waiting for room.

    Parameters
    ----------
    input_tokens, output_tokens
        Whole numbers ≥ 1, one a request.
    arrivals_s
        Ascending seconds: an open loop.
    concurrency
        Requests in flight: a closed loop, in which a client sends its next request when one ends. Exactly
        one of the two must be given.
    priorities
        Whole numbers, one a request, 0 most urgent (as vLLM counts): more urgent requests are admitted first
        and take the cache of less urgent ones if there is no room. Default: all alike.
    prefixes
        Which prompts begin alike. Exclusive with `reuse`.
    reuse
        Stated share of each prompt that is found in the cache, in 0..1; every request still holds its own
        copy of it.

    Raises
    ------
    InvalidInput
        Lengths, arrivals or concurrency that cannot be; a request that the cache cannot hold.
    """
    inputs, outputs = _lengths(input_tokens, output_tokens)
    if (arrivals_s is None) == (concurrency is None):
        raise InvalidInput("give arrivals_s (open loop) or concurrency (closed loop): one of the two")
    arrivals = np.zeros(inputs.size)
    if arrivals_s is not None:
        arrivals = np.asarray(arrivals_s, dtype=np.float64) * 1e3
        if arrivals.shape != inputs.shape or not np.isfinite(arrivals).all() or (np.diff(arrivals) < 0).any():
            raise InvalidInput("arrivals_s must be finite, ascending, one a request")
    if concurrency is not None and concurrency < 1:
        raise InvalidInput(f"concurrency must be ≥ 1, got {concurrency}")
    if instance.configuration.role == "decode" and (outputs < 2).any():
        raise InvalidInput("a decode instance is given requests with a token left to make: outputs ≥ 2")
    if not 0 <= reuse <= 1 or (reuse and prefixes is not None):
        raise InvalidInput(f"reuse must be in 0..1, and 0 where prefixes are given, got {reuse!r}")
    config, curves, memory = instance.configuration, instance.curves, instance.memory
    longest = int((inputs + outputs).max())
    if longest > memory.kv_cache_tokens:
        raise InvalidInput(
            f"a request of {longest:,} tokens does not fit the cache of {memory.kv_cache_tokens:,} tokens"
        )
    from models.serving.simulation.blocks import empty_blocks
    from models.serving.simulation.loop import COUNTERS, GAP_BINS, run
    from models.serving.simulation.queues import empty_queues

    classes, count = _classes(priorities, inputs.size)
    decode_only = config.role == "decode"
    given = np.floor(inputs * reuse).astype(np.int64).clip(max=inputs - 1)
    known = np.zeros((inputs.size, 9), np.int64)
    steps = _steps(outputs, config.speculation)
    known[:, 0], known[:, 1], known[:, 2], known[:, 4] = inputs, steps, classes, inputs
    known[:, 3], known[:, 5] = (inputs, 1) if decode_only else (given, 0)
    nobody = np.zeros(inputs.size + 1, np.int64), np.zeros(0, np.int64)
    whole = None if prefixes is None else prefixes.whole(inputs)
    blocks = empty_blocks(*(nobody if whole is None else (whole.first, whole.names)))
    times, counters = np.zeros((3, inputs.size)), np.zeros(len(COUNTERS), np.int64)
    gaps = np.zeros(GAP_BINS, np.int64)
    run(
        POLICIES[config.engine.schedule],
        config.engine.poll_steps,
        config.engine.balance_steps,
        decode_only,
        arrivals,
        known,
        concurrency or 0,
        max(config.max_num_batched_tokens, 1) * config.parallelism.data_parallel_size,
        config.max_num_seqs,
        float(memory.kv_cache_tokens),
        config.engine.output_reserve,
        config.overheads.request_ms,
        config.overheads.prompt_ms_per_1k,
        0 if whole is None else whole.tokens,
        blocks,
        empty_queues(count, inputs.size),
        (
            TOKENS, curves.linear_ms, curves.experts_ms, curves.head_ms, curves.prefill_attention_ms, BATCHES,
            CONTEXTS, curves.send_ms,
        ),
        curves.decode_attention_ms,
        step_costs(instance),
        times,
        counters,
        gaps,
        np.zeros((5, inputs.size)),
        np.zeros((2, inputs.size), np.int64),
        np.zeros(config.max_num_seqs + 2, np.int64),
    )  # fmt: skip
    if decode_only:
        times[1] = times[0]
    return Simulation(
        sent_ms=times[0],
        first_token_ms=times[1],
        end_ms=times[2],
        output_tokens=outputs,
        token_gaps=gaps,
        **{name: int(value) for name, value in zip(COUNTERS, counters, strict=True)},
    )


def _lengths(input_tokens: npt.ArrayLike, output_tokens: npt.ArrayLike) -> tuple[Ints, Ints]:
    inputs, outputs = np.asarray(input_tokens), np.asarray(output_tokens)
    if inputs.ndim != 1 or inputs.shape != outputs.shape or not inputs.size:
        raise InvalidInput("input_tokens and output_tokens must be equally long lists, not empty")
    if (inputs < 1).any() or (outputs < 1).any():
        raise InvalidInput("every request needs at least one input and one output token")
    return inputs.astype(np.int64), outputs.astype(np.int64)


def _steps(outputs: Ints, drafts: Speculation | None) -> Ints:
    """Tokens of the prompt's step and steps after it that make so many tokens.

    With drafts a step yields the mean number of tokens; the last one of a request is counted in part, by
    chance with a fixed seed, so that the mean is kept.
    """
    if drafts is None:
        return outputs
    exact = (outputs - 1.0) / drafts.tokens_per_step
    down = np.floor(exact)
    more = np.random.default_rng(0).random(outputs.size) < exact - down
    steps = 1 + down.astype(np.int64) + more
    return np.asarray(np.where(outputs > 1, np.maximum(steps, 2), 1))


def _classes(priorities: npt.ArrayLike | None, requests: int) -> tuple[Ints, int]:
    """The class of each request, counted from the most urgent one, and how many there are."""
    if priorities is None:
        return np.zeros(requests, np.int64), 1
    given = np.asarray(priorities)
    if given.shape != (requests,) or not np.issubdtype(given.dtype, np.integer):
        raise InvalidInput("priorities must be whole numbers, one a request")
    levels, classes = np.unique(given, return_inverse=True)
    if levels.size > MAX_CLASSES:
        raise InvalidInput(f"{levels.size} different priorities; at most {MAX_CLASSES} are told apart")
    return classes.astype(np.int64), int(levels.size)


def step_costs(instance: InstanceModel) -> Floats:
    """The scalars of `step.step_ms`, in its order, and the tokens that a decode step yields."""
    curves, overheads = instance.curves, instance.configuration.overheads
    parallelism, (width, made, drafting) = curves.parallelism, instance.drafts
    return np.array(
        [
            overheads.linear_scale,
            overheads.prefill_scale,
            overheads.kernel_ms * curves.small_kernels,
            overheads.prefill_kernel_ms * curves.small_kernels,
            overheads.step_ms,
            overheads.sequence_ms / parallelism.data_parallel_size,  # each rank schedules its own
            float(parallelism.data_parallel_size),
            float(parallelism.pipeline_parallel_size),
            curves.stage_share,
            width,
            drafting,
            made,
        ]
    )
