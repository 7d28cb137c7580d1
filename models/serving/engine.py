"""Serving engines: how they schedule, what memory they take, what they cost beside the GPU's kernels."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from models.errors import InvalidInput, UnknownName, Unsupported

__all__ = ["Engine", "Overheads", "Schedule", "engine", "engine_names"]

Schedule = Literal["chunked", "prefill_first", "packed"]
"""How prompts and running decodes share the steps.

``chunked`` (vLLM): decodes first, the rest of the token budget goes to prompts, cut where they do not fit.
``prefill_first`` (SGLang): prompts run in steps of their own while decodes wait.
``packed`` (TensorRT-LLM): whole prompts beside the decodes; a prompt waits until it fits.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheads:
    """What a step costs beside its operators: the few constants that no hardware table holds.

    Parameters
    ----------
    linear_scale, prefill_scale
        Factor on the operator times of decode-only steps (but their attention) and of steps with a prefill.
    kernel_ms, prefill_kernel_ms
        For each small kernel of a pass: launch and tail; what a step with a prefill adds (it has no graph).
    step_ms, sequence_ms
        Scheduler and sampler: for each step, and for each running sequence in it.
    request_ms, prompt_ms_per_1k
        Front end: for each request, and for each 1,000 prompt tokens (tokenisation).
    """

    linear_scale: float
    prefill_scale: float
    kernel_ms: float
    prefill_kernel_ms: float
    step_ms: float
    sequence_ms: float
    request_ms: float
    prompt_ms_per_1k: float

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 <= getattr(self, name) < float("inf"):
                raise InvalidInput(f"overhead {name} must be ≥ 0 and finite, got {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One serving engine with the settings it runs with unless told otherwise.

    Parameters
    ----------
    schedule
        How prompts and decodes share the steps.
    max_num_batched_tokens
        Tokens of one step.
    max_num_seqs
        Sequences that run at once.
    output_reserve
        Share of a request's output that is set aside in the cache when it is admitted: 1 never evicts
        (TensorRT-LLM), 0 admits what fits now and recomputes the youngest when the cache runs full (vLLM).
    memory_fraction, memory_rule
        The share of memory the engine takes, and of what: of the whole GPU, activations included (``total``,
        vLLM); of what context and communication leave, for weights and cache only (``static``, SGLang); of
        what is left when weights and activations are placed (``free``, TensorRT-LLM).
    logit_bytes
        What the sampler takes at its peak for each sequence and word of the vocabulary.
    graph_bytes
        What the engine sets aside for each CUDA graph and layer, in bytes; 0: nothing.
    fused_all_reduce_bytes
        Buffers of all-reduces that are fused with the norm behind them, where the GPU has such kernels.
    overheads
        Costs beside the operators; None: those fitted on measured results (`models.serving.calibration`).
    poll_steps
        Decode steps between two looks at what has arrived (SGLang's ``--scheduler-recv-interval``); after a
        step with prompts, and when nothing runs, the engine looks at once.
    balance_steps
        Decode steps that prompts wait at most until there is one for every replica of the attention, so that
        the replicas prefill together (TensorRT-LLM's ``attention_dp_config``: ``enable_balance`` and
        ``timeout_iters``); 0: they do not wait.
    """

    name: str
    schedule: Schedule
    max_num_batched_tokens: int
    max_num_seqs: int
    output_reserve: float
    memory_fraction: float
    memory_rule: Literal["total", "static", "free"]
    logit_bytes: float = 8.0
    graph_bytes: float = 0.0
    fused_all_reduce_bytes: float = 0.0
    overheads: Overheads | None = None
    poll_steps: int = 1
    balance_steps: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.poll_steps, bool) or not isinstance(self.poll_steps, int) or self.poll_steps < 1:
            raise InvalidInput(f"poll_steps must be a whole number ≥ 1, got {self.poll_steps!r}")
        wait = self.balance_steps
        if isinstance(wait, bool) or not isinstance(wait, int) or wait < 0:
            raise InvalidInput(f"balance_steps must be a whole number ≥ 0, got {wait!r}")


_ENGINES = {
    e.name: e
    for e in (
        Engine(
            name="vllm",
            schedule="chunked",
            max_num_batched_tokens=8192,
            max_num_seqs=256,
            output_reserve=0.0,
            memory_fraction=0.90,
            memory_rule="total",
            logit_bytes=15.0,
            graph_bytes=0.20 * 2**20,
            fused_all_reduce_bytes=1.55 * 2**30,
        ),
        Engine(
            name="sglang",
            schedule="prefill_first",
            max_num_batched_tokens=16384,
            max_num_seqs=256,
            output_reserve=0.85,
            memory_fraction=0.88,
            memory_rule="static",
        ),
        Engine(
            name="tensorrt-llm",
            schedule="packed",
            max_num_batched_tokens=8192,
            max_num_seqs=256,
            output_reserve=1.0,
            memory_fraction=0.80,
            memory_rule="free",
        ),
    )
}
_ALIASES = {"trtllm": "tensorrt-llm", "trt-llm": "tensorrt-llm"}


SORTING = ((0, 9), (0, 17))
"""From which version of vLLM to before which the sampler sorted all logits, 38 bytes for each."""
FUSED_SINCE, GRAPHS_SINCE = (0, 17), (0, 21)
"""Versions of vLLM from which all-reduces are fused, and graphs are set aside, without being asked for."""


def engine(name: str, version: str = "") -> Engine:
    """The engine of that name, `UnknownName` otherwise; with the memory that a version of vLLM takes.

    Without a version the newest we know; versions of other engines are `Unsupported`, and what does not
    begin like ``0.19`` is `InvalidInput`.
    """
    found = _ENGINES.get(_ALIASES.get(name, name))
    if found is None:
        raise UnknownName("engine", name, _ENGINES)
    if not version:
        return found
    if found.name != "vllm":
        raise Unsupported(f"versions of {found.name} are not told apart; leave out {version!r}")
    parts = re.match(r"v?(\d+)\.(\d+)", version)
    if parts is None:
        raise InvalidInput(f"a version of vLLM begins like 0.19, got {version!r}")
    number = (int(parts[1]), int(parts[2]))
    return replace(
        found,
        logit_bytes=38.0 if SORTING[0] <= number < SORTING[1] else found.logit_bytes,
        graph_bytes=found.graph_bytes if number >= GRAPHS_SINCE else 0.0,
        fused_all_reduce_bytes=found.fused_all_reduce_bytes if number >= FUSED_SINCE else 0.0,
    )


def engine_names() -> tuple[str, ...]:
    """Names of all engines."""
    return tuple(_ENGINES)
