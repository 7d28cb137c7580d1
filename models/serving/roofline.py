"""Operator times from a datasheet: the last resort, where nobody has measured.

An operator takes as long as its arithmetic or its memory traffic, whichever is longer, each at a share of the
peak that real kernels reach, plus a floor for one launch. The shares below are round numbers near the medians
of public operator tables on H100; `docs/models.md` says how far this is off.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.architecture import kv_precision, weight_precision
from models.hardware import Gpu
from models.serving.basis import Basis
from models.serving.operators import AllReduce, Attention, Experts, Gemm, LinearAttention

__all__ = ["RooflineTimes"]

Floats = npt.NDArray[np.float64]

COMPUTE_SHARE = {"bf16": 0.70, "fp8": 0.60, "int8": 0.60, "fp4": 0.50}
"""Share of the tensor-core peak a large product reaches."""
ATTENTION_COMPUTE_SHARE = 0.50
MEMORY_SHARE = 0.80
ATTENTION_MEMORY_SHARE = 0.65
LINK_SHARE = 0.75
KERNEL_FLOOR_MS = 0.004
"""A kernel inside a CUDA graph."""
ALL_TO_ALL_FLOOR_MS = 0.030
"""A dispatch and a combine that move nothing."""
NETWORK_BYTES_PER_S = 50e9
"""Of one GPU to another node: a 400 Gb/s adapter each."""
COLLECTIVE_FLOOR_MS = {"nvlink": 0.008, "pcie": 0.025}
SEND_FLOOR_MS = 0.010


class RooflineTimes:
    """Operator times of one GPU type from its datasheet; implements `OperatorTimes`."""

    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu
        self.name = f"datasheet of {gpu.name}"

    def basis(self) -> Basis:
        """Always ``datasheet``."""
        return "datasheet"

    def remarks(self) -> tuple[str, ...]:
        """None: the basis says it all."""
        return ()

    def _time(self, flops: Floats, traffic: Floats, compute: str, *, attention: bool = False) -> Floats:
        """Milliseconds of a kernel with that arithmetic and traffic."""
        # a GPU without the number format multiplies in bf16 and only reads fewer bytes
        compute = compute if compute in self.gpu.peak_flops else "bf16"
        compute_share = ATTENTION_COMPUTE_SHARE if attention else COMPUTE_SHARE[compute]
        memory_share = ATTENTION_MEMORY_SHARE if attention else MEMORY_SHARE
        arithmetic = flops / (self.gpu.flops(compute) * compute_share)
        memory = traffic / (self.gpu.memory_bandwidth_bytes_per_s * memory_share)
        return np.maximum(np.maximum(arithmetic, memory) * 1e3, KERNEL_FLOOR_MS)

    def gemm(self, op: Gemm, tokens: Floats) -> Floats:
        """See `OperatorTimes`."""
        scheme = weight_precision(op.precision)
        flops = 2.0 * tokens * op.n * op.k
        traffic = op.n * op.k * scheme.bytes_per_weight + 2.0 * tokens * (op.n + op.k)
        return op.count * self._time(flops, traffic, scheme.compute)

    def experts(self, op: Experts, tokens: Floats) -> Floats:
        """Reads the experts that get at least one token under even routing, on the busiest rank."""
        scheme = weight_precision(op.precision)
        local = op.num_experts / op.expert_parallel_size
        pairs = tokens * op.top_k / op.expert_parallel_size
        # the chance that an expert gets none of `tokens` tokens
        touched = local * -np.expm1(tokens * np.log1p(-op.top_k / op.num_experts + 1e-12))
        weights = 3.0 * op.hidden_size * op.expert_size / op.tensor_parallel_size
        flops = 2.0 * pairs * weights
        inner = op.expert_size / op.tensor_parallel_size
        traffic = touched * weights * scheme.bytes_per_weight + 2.0 * pairs * (2 * op.hidden_size + 3 * inner)
        return op.count * (self._time(flops, traffic, scheme.compute) + KERNEL_FLOOR_MS)

    def separate_projections(self, op: Attention) -> tuple[Gemm, ...]:
        """All: attention times here are those of attention alone."""
        return op.projections

    def prefill_attention(self, op: Attention, tokens: Floats) -> Floats:
        """Causal: each token sees itself and what came before, inside the window."""
        reach = np.minimum(tokens, op.window) if op.window else tokens
        reach = np.minimum(reach, op.top_k) if op.top_k else reach
        pairs = reach * tokens - reach**2 / 2
        flops = 2.0 * pairs * op.heads * (op.prefill_key_dim + op.prefill_value_dim)
        flops += tokens**2 * op.indexer_heads * op.indexer_dim
        width = op.heads * (op.prefill_key_dim + op.prefill_value_dim)
        width += op.kv_heads * (op.prefill_key_dim + op.prefill_value_dim)
        return op.count * self._time(flops, 2.0 * tokens * width, "bf16", attention=True)

    def decode_attention(self, op: Attention, batch: Floats, context: Floats) -> Floats:
        """Reads the whole cache of every sequence once."""
        b, c = batch[:, None], context[None, :]
        seen = np.minimum(c, op.window) if op.window else c
        seen = np.minimum(seen, op.top_k) if op.top_k else seen
        flops = 2.0 * b * seen * op.heads * (op.key_dim + op.value_dim)
        elements = op.key_dim if op.latent else op.kv_heads * (op.key_dim + op.value_dim)
        traffic = b * seen * elements * kv_precision(op.kv_precision).bytes_per_element
        traffic = traffic + b * c * op.indexer_dim
        flops = flops + 2.0 * b * c * op.indexer_heads * op.indexer_dim
        return op.count * self._time(flops, traffic, "bf16", attention=True)

    def linear_attention(self, op: LinearAttention, tokens: Floats, *, decode: bool) -> Floats:
        """Decoding reads and writes every state; prefilling works in chunks of 64 tokens."""
        state = op.value_heads * op.key_dim * op.value_dim
        width = 2 * op.key_heads * op.key_dim + 2 * op.value_heads * op.value_dim
        flops = 8.0 * tokens * state
        traffic = 2.0 * tokens * width + 8.0 * state * (tokens if decode else np.ceil(tokens / 64))
        return op.count * (self._time(flops, traffic, "bf16", attention=True) + KERNEL_FLOOR_MS)

    def all_reduce(self, op: AllReduce, tokens: Floats) -> Floats:
        """Ring: every byte crosses a link 2 (n - 1) / n times."""
        return self._collective(op, tokens, 2.0 * (op.ranks - 1) / op.ranks)

    def exchange(self, op: AllReduce, tokens: Floats) -> Floats:
        """A gather and a reduce-scatter, which move what one all-reduce does, or an all-to-all if faster."""
        gathered = self._collective(op, tokens, 2.0 * (op.ranks - 1) / op.ranks)
        return np.minimum(gathered, self.all_to_all(op, tokens)) if op.copies else gathered

    def all_to_all(self, op: AllReduce, tokens: Floats) -> Floats:
        """A rank sends its tokens to the ranks of their experts, a byte an element, and gets two back."""
        if op.ranks < 2:
            return np.zeros_like(tokens)
        reached = op.ranks * -np.expm1(op.copies * np.log1p(-1.0 / op.ranks))  # distinct ranks of a token
        sent = tokens / op.ranks * reached * (op.ranks - 1) / op.ranks * op.bytes_per_token * 1.5
        send_ms = sent / self._link_bytes_per_s(op.ranks) * 1e3
        return np.asarray(op.count * (ALL_TO_ALL_FLOOR_MS + send_ms), np.float64)

    def _link_bytes_per_s(self, ranks: int) -> float:
        """Bandwidth of one GPU among that many: its own link, or the network once they outgrow its domain."""
        if self.gpu.nvlink_bandwidth_bytes_per_s and ranks > self.gpu.nvlink_domain_gpus:
            return NETWORK_BYTES_PER_S * LINK_SHARE
        return self.gpu.link_bandwidth_bytes_per_s * LINK_SHARE

    def _collective(self, op: AllReduce, tokens: Floats, passes: float) -> Floats:
        if op.ranks < 2:
            return np.zeros_like(tokens)
        link = "nvlink" if self.gpu.nvlink_bandwidth_bytes_per_s else "pcie"
        wire = tokens * op.bytes_per_token * passes / self._link_bytes_per_s(op.ranks)
        return op.count * (COLLECTIVE_FLOOR_MS[link] + wire * 1e3)

    def send(self, size_bytes: Floats) -> Floats:
        """See `OperatorTimes`."""
        return SEND_FLOOR_MS + size_bytes / (self.gpu.link_bandwidth_bytes_per_s * LINK_SHARE) * 1e3

    def elementwise(self, size_bytes: Floats) -> Floats:
        """See `OperatorTimes`."""
        return size_bytes / (self.gpu.memory_bandwidth_bytes_per_s * MEMORY_SHARE) * 1e3
