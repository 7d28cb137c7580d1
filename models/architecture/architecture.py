"""A language model as layers with shapes: parameters, bytes, cache, arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from models.architecture.feed_forward import FeedForward, MixtureOfExperts
from models.architecture.mixers import GroupedQueryAttention, Mixer
from models.architecture.precision import kv_precision, weight_precision
from models.errors import InvalidInput

__all__ = ["Architecture", "Block"]


@dataclass(frozen=True, slots=True)
class Block:
    """`count` equal layers: one mixer, one feed-forward, and their norms."""

    count: int
    mixer: Mixer
    feed_forward: FeedForward


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A decoder-only language model.

    Parameters
    ----------
    name
        Catalogue name, or where the config was read from.
    hidden_size, vocab_size
        Width of the residual stream; rows of the embedding.
    blocks
        Groups of equal layers. Their order in the model does not change any cost, so it is not kept.
    tie_word_embeddings
        The output head shares the embedding's weights.
    position_embeddings
        Learned positions (OPT); 0 with rotary embeddings.
    checkpoint_precision
        Weight format the config says the checkpoint is stored in.
    max_context_tokens
        Longest sequence the model was made for.
    source
        Repository whose config this is.
    """

    name: str
    hidden_size: int
    vocab_size: int
    blocks: tuple[Block, ...]
    tie_word_embeddings: bool
    checkpoint_precision: str
    max_context_tokens: int
    source: str
    position_embeddings: int = 0

    def __post_init__(self) -> None:
        if self.hidden_size < 1 or self.vocab_size < 1 or not self.blocks:
            raise InvalidInput(f"architecture {self.name!r} needs layers, a hidden size and a vocabulary")
        if any(block.count < 1 for block in self.blocks):
            raise InvalidInput(f"architecture {self.name!r} has a group of no layers")
        weight_precision(self.checkpoint_precision)

    @property
    def num_layers(self) -> int:
        """Number of layers."""
        return sum(block.count for block in self.blocks)

    @property
    def is_moe(self) -> bool:
        """Whether any layer routes to experts."""
        return any(isinstance(block.feed_forward, MixtureOfExperts) for block in self.blocks)

    @property
    def parts(self) -> Mapping[str, int]:
        """Parameters by part; their sum is `parameters`."""
        h = self.hidden_size
        parts = dict.fromkeys(
            ("attention", "dense_feed_forward", "routed_experts", "shared_experts", "router", "norms"), 0
        )
        for block in self.blocks:
            parts["attention"] += block.count * block.mixer.parameters(h)
            norms = 2 * h
            if isinstance(block.mixer, GroupedQueryAttention) and block.mixer.qk_norm:
                norms += 2 * block.mixer.head_dim
            parts["norms"] += block.count * norms
            ff = block.feed_forward
            if isinstance(ff, MixtureOfExperts):
                parts["routed_experts"] += block.count * ff.num_experts * ff.expert_parameters(h)
                parts["shared_experts"] += block.count * ff.shared_parameters(h)
                parts["router"] += block.count * ff.router_parameters(h)
            else:
                parts["dense_feed_forward"] += block.count * ff.parameters(h)
        parts["norms"] += h
        parts["embedding"] = (self.vocab_size + self.position_embeddings) * h
        parts["output_head"] = 0 if self.tie_word_embeddings else self.vocab_size * h
        return MappingProxyType(parts)

    @property
    def parameters(self) -> int:
        """All parameters; layers that only predict further tokens (MTP) are not counted."""
        return sum(self.parts.values())

    @property
    def active_parameters(self) -> int:
        """Parameters that one token passes: all but the experts it is not routed to."""
        idle = 0
        for block in self.blocks:
            ff = block.feed_forward
            if isinstance(ff, MixtureOfExperts):
                idle += block.count * (ff.num_experts - ff.top_k) * ff.expert_parameters(self.hidden_size)
        return self.parameters - idle

    def weight_bytes(self, precision: str) -> int:
        """Bytes of all weights in a format; parts the format does not cover stay in bf16.

        Raises
        ------
        UnknownName
            No such weight precision.
        """
        scheme = weight_precision(precision)
        total = 0.0
        for part, count in self.parts.items():
            total += count * (scheme.bytes_per_weight if scheme.covers(part, moe=self.is_moe) else 2.0)
        return round(total)

    def kv_cache_bytes_per_token(self, precision: str) -> float:
        """Cache that every further token of a long sequence adds, over all layers.

        Layers with a sliding window stop growing at their window: see `kv_cache_bytes`.
        """
        return self._cache_elements(windowed=False) * kv_precision(precision).bytes_per_element

    def kv_cache_bytes(self, tokens: float, precision: str) -> float:
        """Cache and state of one sequence of `tokens` tokens, over all layers."""
        if not tokens >= 0:
            raise InvalidInput(f"tokens must be ≥ 0, got {tokens!r}")
        width = kv_precision(precision).bytes_per_element
        total = 0.0
        for block in self.blocks:
            kept = tokens
            if isinstance(block.mixer, GroupedQueryAttention) and block.mixer.sliding_window is not None:
                kept = min(tokens, block.mixer.sliding_window)
            per_layer = block.mixer.cached_elements_per_token * kept * width
            total += block.count * (per_layer + block.mixer.state_bytes_per_sequence)
        return total

    def _cache_elements(self, *, windowed: bool) -> int:
        return sum(
            block.count * block.mixer.cached_elements_per_token
            for block in self.blocks
            if (getattr(block.mixer, "sliding_window", None) is not None) == windowed
        )

    def flops(self, new_tokens: float, context: float = 0.0) -> float:
        """Operations to process `new_tokens` after `context` cached ones, the output head once.

        Two per active weight and token, plus attention over the growing context.
        """
        parts = self.parts
        per_token = self.active_parameters - parts["embedding"] - parts["output_head"] - parts["norms"]
        if new_tokens <= 0:
            return 0.0
        # the n-th new token sees context + n tokens: on average context + (new + 1) / 2
        seen = context + (new_tokens + 1) / 2
        attention = sum(b.count * b.mixer.attention_flops(seen) for b in self.blocks)
        return new_tokens * (2.0 * per_token + attention) + 2.0 * self.vocab_size * self.hidden_size
