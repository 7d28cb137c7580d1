"""The kinds of operators a forward pass is made of, and what prices them.

Shapes are those of one rank, after sharding. A pass (`models.serving.passes`) is described once and priced by
whatever knows operator times: a datasheet roofline or measured tables. Times are milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.serving.basis import Basis

__all__ = ["AllReduce", "Attention", "Experts", "Gemm", "LinearAttention", "OperatorTimes"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Gemm:
    """`count` products of [tokens, k] with a weight [k, n] stored in `precision`."""

    n: int
    k: int
    precision: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """`count` layers of routed experts; sizes before sharding, as engines and tables name them."""

    hidden_size: int
    expert_size: int
    top_k: int
    num_experts: int
    tensor_parallel_size: int
    expert_parallel_size: int
    precision: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """`count` layers of softmax attention over the cache, with the heads of one rank.

    `latent` is the kind with one shared compressed vector per token (`key_dim` wide, `value_dim` of it read
    again as the value). `top_k` bounds the tokens a sparse attention reads after scoring all of them with
    `indexer_heads` heads of `indexer_dim`. `projections` are the products around a latent attention, which
    measured tables may include (`OperatorTimes.separate_projections`).
    """

    heads: int
    kv_heads: int
    key_dim: int
    value_dim: int
    kv_precision: str
    count: int
    window: int = 0
    latent: bool = False
    prefill_key_dim: int = 0
    prefill_value_dim: int = 0
    top_k: int = 0
    indexer_heads: int = 0
    indexer_dim: int = 0
    projections: tuple[Gemm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearAttention:
    """`count` layers of gated delta net with the heads of one rank."""

    key_heads: int
    value_heads: int
    key_dim: int
    value_dim: int
    conv_kernel: int
    count: int


@dataclass(frozen=True, slots=True)
class AllReduce:
    """`count` sums over `ranks` GPUs of a buffer with `bytes_per_token` for each token of the step.

    As an exchange around experts: `copies` is the number of experts that a token goes to; 0 where every rank
    needs every token.
    """

    ranks: int
    bytes_per_token: int
    count: int
    copies: int = 0


class OperatorTimes(Protocol):
    """What prices operators. Every method returns milliseconds for all `count` of them, as float64."""

    name: str

    def gemm(self, op: Gemm, tokens: Floats) -> Floats:
        """Time at each number of rows."""
        ...

    def experts(self, op: Experts, tokens: Floats) -> Floats:
        """Time of the busiest rank at each number of tokens of the whole expert group."""
        ...

    def separate_projections(self, op: Attention) -> tuple[Gemm, ...]:
        """The projections that the attention times of this source do not include."""
        ...

    def prefill_attention(self, op: Attention, tokens: Floats) -> Floats:
        """Time of one causal prompt of each length from an empty cache."""
        ...

    def decode_attention(self, op: Attention, batch: Floats, context: Floats) -> Floats:
        """Time of one new token for `batch` sequences with `context` cached each: float64[batch, context]."""
        ...

    def linear_attention(self, op: LinearAttention, tokens: Floats, *, decode: bool) -> Floats:
        """Time of one prompt of each length, or of one new token for each number of sequences."""
        ...

    def all_reduce(self, op: AllReduce, tokens: Floats) -> Floats:
        """Time at each number of tokens."""
        ...

    def exchange(self, op: AllReduce, tokens: Floats) -> Floats:
        """Time to gather the tokens of all ranks and to scatter them back, for attention data parallelism."""
        ...

    def send(self, size_bytes: Floats) -> Floats:
        """Time of one buffer from a GPU to the next pipeline stage."""
        ...

    def elementwise(self, size_bytes: Floats) -> Floats:
        """Time to stream that many bytes through small kernels, launches not counted."""
        ...

    def basis(self) -> Basis:
        """The weakest basis among the times handed out so far."""
        ...

    def remarks(self) -> tuple[str, ...]:
        """What a reader of those times should know: what was replaced by what, and why."""
        ...
