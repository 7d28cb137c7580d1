"""The cost of one engine step, as curves over tokens, sequences and context.

Operators are priced once, on fixed grids; a step is then a few interpolations. The analysis under load and
the simulator read the same curves, so they cannot disagree on what a step costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.architecture import Architecture
from models.serving.basis import Basis
from models.serving.operators import OperatorTimes
from models.serving.parallelism import Parallelism
from models.serving.passes import PassOperators

__all__ = ["BATCHES", "CONTEXTS", "TOKENS", "StepCurves", "curve_at", "surface_at"]

Floats = npt.NDArray[np.float64]

TOKENS: Floats = np.unique(
    np.round(np.concatenate((np.arange(1.0, 17.0), 2.0 ** np.arange(4.0, 17.01, 0.25))))
)
"""Numbers of tokens at which a pass is priced; linear between them, held per token beyond."""
BATCHES: Floats = 2.0 ** np.arange(0.0, 12.0)
CONTEXTS: Floats = np.array([1.0, 16.0, *(2.0 ** np.arange(7.0, 18.0))])
"""Numbers of sequences and tokens of context at which decode attention is priced; bilinear between them."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepCurves:
    """What one pass through the whole model costs on its ranks, in milliseconds.

    Parameters
    ----------
    linear_ms
        float64[TOKENS]: products, small-kernel traffic and collectives, by tokens of one data-parallel rank.
    experts_ms
        float64[TOKENS]: routed experts, by tokens of the whole instance.
    head_ms
        float64[TOKENS]: output projection, by sequences that get a token on one rank.
    prefill_attention_ms
        float64[TOKENS]: one causal prompt from an empty cache.
    decode_attention_ms
        float64[BATCHES, CONTEXTS]: one token for each sequence of a rank.
    send_ms
        float64[TOKENS]: handing the tokens to the next pipeline stage, once.
    small_kernels
        Launches that no operator includes, per pass.
    num_layers
        Layers of the model.
    stage_share
        Share of the layers in the largest pipeline stage.
    parallelism
        How the instance is cut.
    basis
        The weakest of what its numbers rest on.
    source
        What priced the operators.
    remarks
        What was replaced by what on the way, as sentences.
    """

    linear_ms: Floats
    experts_ms: Floats
    head_ms: Floats
    prefill_attention_ms: Floats
    decode_attention_ms: Floats
    send_ms: Floats
    small_kernels: int
    num_layers: int
    stage_share: float
    parallelism: Parallelism
    basis: Basis
    source: str
    remarks: tuple[str, ...] = ()

    @classmethod
    def price(
        cls,
        architecture: Architecture,
        parallelism: Parallelism,
        times: OperatorTimes,
        *,
        weights: str,
        kv_cache: str,
    ) -> StepCurves:
        """Price every operator of a pass with `times`."""
        ops = PassOperators.of(architecture, parallelism, weights=weights, kv_cache=kv_cache)
        nothing = np.zeros_like(TOKENS)
        linear = times.elementwise(TOKENS * ops.elementwise_bytes_per_token)
        linear = linear + _total([times.gemm(op, TOKENS) for op in ops.gemms], nothing)
        around = [gemm for op in ops.attention for gemm in times.separate_projections(op)]
        linear = linear + _total([times.gemm(op, TOKENS) for op in around], nothing)
        linear = linear + _total([times.all_reduce(op, TOKENS) for op in ops.all_reduces], nothing)
        experts = _total([times.experts(op, TOKENS) for op in ops.experts], nothing)
        experts = experts + _total([times.exchange(op, TOKENS) for op in ops.exchanges], nothing)
        prefill = _total([times.prefill_attention(op, TOKENS) for op in ops.attention], nothing)
        decode = _total(
            [times.decode_attention(op, BATCHES, CONTEXTS) for op in ops.attention],
            np.zeros((BATCHES.size, CONTEXTS.size)),
        )
        for state in ops.linear_attention:
            prefill = prefill + times.linear_attention(state, TOKENS, decode=False)
            decode = decode + times.linear_attention(state, BATCHES, decode=True)[:, None]
        head = times.gemm(ops.head, TOKENS)
        if parallelism.tensor_parallel_size > 1:
            # logits of each sequence are gathered: small beside the product, priced as a buffer on the link
            head = head + times.send(
                TOKENS * architecture.vocab_size * 2.0 / parallelism.tensor_parallel_size
            )
        send = times.send(TOKENS * architecture.hidden_size * 2.0)
        return cls(
            linear_ms=linear,
            experts_ms=experts,
            head_ms=head,
            prefill_attention_ms=prefill,
            decode_attention_ms=decode,
            send_ms=send if parallelism.pipeline_parallel_size > 1 else nothing,
            small_kernels=ops.small_kernels,
            num_layers=architecture.num_layers,
            stage_share=parallelism.stage_layers(architecture) / architecture.num_layers,
            parallelism=parallelism,
            basis=times.basis(),
            source=times.name,
            remarks=times.remarks(),
        )


def _total(parts: Sequence[Floats], start: Floats) -> Floats:
    for part in parts:
        start = start + part
    return start


def curve_at(table: Floats, x: Floats) -> Floats:
    """Linear interpolation of `table` [instance, TOKENS] at `x` [instance] or [instance, point]."""
    index = np.clip(np.searchsorted(TOKENS, x), 1, TOKENS.size - 1)
    left, right = TOKENS[index - 1], TOKENS[index]
    rows = np.arange(table.shape[0]).reshape((-1,) + (1,) * (x.ndim - 1))
    low, high = table[rows, index - 1], table[rows, index]
    value: Floats = low + (high - low) * (np.maximum(x, TOKENS[0]) - left) / (right - left)
    return value


def surface_at(table: Floats, batch: Floats, context: float) -> Floats:
    """Bilinear interpolation of `table` [instance, BATCHES, CONTEXTS] at a batch each and one context."""
    j = int(np.clip(np.searchsorted(CONTEXTS, context), 1, CONTEXTS.size - 1))
    f = (max(context, 1.0) - CONTEXTS[j - 1]) / (CONTEXTS[j] - CONTEXTS[j - 1])
    row = table[:, :, j - 1] * (1.0 - f) + table[:, :, j] * f
    i = np.clip(np.searchsorted(BATCHES, batch), 1, BATCHES.size - 1)
    g = (np.maximum(batch, 1.0) - BATCHES[i - 1]) / (BATCHES[i] - BATCHES[i - 1])
    index = np.arange(table.shape[0])
    value: Floats = row[index, i - 1] * (1.0 - g) + row[index, i] * g
    return value
