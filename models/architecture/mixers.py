"""The part of a layer that mixes tokens: the kinds of attention, and linear attention.

Each kind knows its parameters, what it keeps per token and per sequence, and its arithmetic. `hidden` is the
model's hidden size throughout; counts are of one layer and of the whole model (not of one GPU).
"""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import InvalidInput

__all__ = ["GatedDeltaNet", "GroupedQueryAttention", "LatentAttention", "Mixer", "SparseIndexer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedQueryAttention:
    """Softmax attention whose query heads share key-value heads (Ainslie et al. 2023).

    Covers multi-head (as many key-value heads as query heads) and multi-query (one) attention. With
    `sliding_window` w a token sees its last w tokens and the cache keeps no more than w.
    """

    num_heads: int
    num_key_value_heads: int
    head_dim: int
    sliding_window: int | None = None
    qk_norm: bool = False
    bias: bool = False
    output_gate: bool = False
    sinks: bool = False

    def __post_init__(self) -> None:
        if self.num_key_value_heads < 1 or self.num_heads % self.num_key_value_heads:
            raise InvalidInput(
                f"num_attention_heads ({self.num_heads}) must be a multiple of num_key_value_heads "
                f"({self.num_key_value_heads})"
            )

    def parameters(self, hidden: int) -> int:
        """Weights of the q, k, v and output projections, their biases, the gate and the sinks."""
        q = self.num_heads * self.head_dim
        kv = self.num_key_value_heads * self.head_dim
        weights = hidden * (q * (2 if self.output_gate else 1) + 2 * kv) + q * hidden
        biases = (q + 2 * kv + hidden) if self.bias else 0
        return weights + biases + (self.num_heads if self.sinks else 0)

    @property
    def cached_elements_per_token(self) -> int:
        """Keys and values of one token."""
        return 2 * self.num_key_value_heads * self.head_dim

    @property
    def state_bytes_per_sequence(self) -> int:
        """Nothing but the cache is kept."""
        return 0

    def attention_flops(self, context: float) -> float:
        """Operations of one query token against `context` cached tokens: QKᵀ and PV, 2 each per element."""
        seen = context if self.sliding_window is None else min(context, self.sliding_window)
        return 4.0 * self.num_heads * self.head_dim * seen


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseIndexer:
    """The selector of DeepSeek sparse attention: each token attends to its `top_k` best-scored tokens."""

    num_heads: int
    head_dim: int
    top_k: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention:
    """Multi-head latent attention (DeepSeek-V2): one compressed vector per token is cached for all heads.

    Attention runs in the compressed space when decoding (weights absorbed: `kv_lora_rank + qk_rope_head_dim`
    per score, `kv_lora_rank` per value) and in head space when prefilling.
    """

    num_heads: int
    q_lora_rank: int | None
    kv_lora_rank: int
    qk_nope_head_dim: int
    qk_rope_head_dim: int
    v_head_dim: int
    indexer: SparseIndexer | None = None

    def parameters(self, hidden: int) -> int:
        """Down- and up-projections of queries and latents, the output projection, the indexer's."""
        qk = self.qk_nope_head_dim + self.qk_rope_head_dim
        if self.q_lora_rank is None:
            queries = hidden * self.num_heads * qk
        else:
            queries = self.q_lora_rank * (hidden + self.num_heads * qk) + self.q_lora_rank
        latents = hidden * (self.kv_lora_rank + self.qk_rope_head_dim) + self.kv_lora_rank
        up = self.kv_lora_rank * self.num_heads * (self.qk_nope_head_dim + self.v_head_dim)
        out = self.num_heads * self.v_head_dim * hidden
        index = 0
        if self.indexer is not None:
            source = self.q_lora_rank or hidden
            index = self.indexer.num_heads * (source * self.indexer.head_dim + hidden)
            index += hidden * self.indexer.head_dim
        return queries + latents + up + out + index

    @property
    def cached_elements_per_token(self) -> int:
        """The latent and the rotary key; with an indexer its key too, held at half the width (fp8)."""
        indexer = 0 if self.indexer is None else self.indexer.head_dim // 2
        return self.kv_lora_rank + self.qk_rope_head_dim + indexer

    @property
    def state_bytes_per_sequence(self) -> int:
        """Nothing but the cache is kept."""
        return 0

    def attention_flops(self, context: float) -> float:
        """Operations of one query token in head space; an indexer scores all, attention sees top-k."""
        seen = context if self.indexer is None else min(context, self.indexer.top_k)
        heads = self.num_heads * (self.qk_nope_head_dim + self.qk_rope_head_dim + self.v_head_dim)
        score = 0 if self.indexer is None else 2.0 * self.indexer.num_heads * self.indexer.head_dim * context
        return 2.0 * heads * seen + score


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedDeltaNet:
    """Linear attention with a gated delta rule (Yang et al. 2024): a fixed state instead of a cache."""

    num_key_heads: int
    num_value_heads: int
    key_head_dim: int
    value_head_dim: int
    conv_kernel: int

    def parameters(self, hidden: int) -> int:
        """Projections to q, k, v and gate, the two scalars per head, the convolution and the output."""
        keys = self.num_key_heads * self.key_head_dim
        values = self.num_value_heads * self.value_head_dim
        projections = hidden * (2 * keys + 2 * values) + hidden * 2 * self.num_value_heads
        convolution = (2 * keys + values) * self.conv_kernel
        return projections + convolution + 2 * self.num_value_heads + values * hidden

    @property
    def cached_elements_per_token(self) -> int:
        """Nothing grows with the sequence."""
        return 0

    @property
    def state_bytes_per_sequence(self) -> int:
        """The recurrent state in fp32 and the convolution's last inputs in bf16."""
        keys = self.num_key_heads * self.key_head_dim
        values = self.num_value_heads * self.value_head_dim
        state = self.num_value_heads * self.key_head_dim * self.value_head_dim * 4
        return state + (2 * keys + values) * (self.conv_kernel - 1) * 2

    def attention_flops(self, context: float) -> float:
        """State decay, delta update and read-out, whatever the context: 8 operations per state element."""
        del context
        return 8.0 * self.num_value_heads * self.key_head_dim * self.value_head_dim


Mixer = GroupedQueryAttention | LatentAttention | GatedDeltaNet
