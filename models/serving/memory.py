"""What fits into the memory of the GPUs of one instance, and how many tokens the cache holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from models.architecture import (
    Architecture,
    DenseFeedForward,
    GatedDeltaNet,
    GroupedQueryAttention,
    LatentAttention,
    MixtureOfExperts,
    WeightPrecision,
    kv_precision,
    weight_precision,
)
from models.hardware import Gpu
from models.serving.engine import Engine
from models.serving.parallelism import Parallelism
from models.serving.speculation import Speculation

__all__ = ["CacheShape", "Memory", "draft_parallelism", "memory", "weight_bytes_per_gpu"]

GIB = 2.0**30
DRIVER_BYTES = 0.40 * GIB
"""What the driver keeps of the memory it lists: CUDA sees 79.19 GiB of 79.65 (H100), 22.18 of 22.49 (A10)."""
CONTEXT_BYTES = 0.51 * GIB
"""Taken before an engine looks at what is free: context and the libraries' handles."""
CONNECTED_BYTES = 1.0 * GIB
"""The same, by the communication library when more than one GPU takes part."""
RUNNING_BYTES = 0.25 * GIB
"""Taken outside the tensor allocator by a first step: workspaces of the product libraries."""
COLLECTIVE_BYTES = 0.30 * GIB
"""The same, by collectives between GPUs of one stage."""
FUSING = ("hopper", "blackwell")
"""Generations on which all-reduces are fused with what follows, in buffers of their own."""

Number = TypeVar("Number", float, npt.NDArray[np.float64])


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheShape:
    """Bytes of cache that one sequence takes on one GPU (of the stage with most layers).

    Parameters
    ----------
    bytes_per_token
        In layers that keep every token.
    windows
        (window, bytes per token) of layers that keep a window.
    state_bytes
        Whatever the length.
    """

    bytes_per_token: float
    windows: tuple[tuple[int, float], ...]
    state_bytes: float

    def sequence_bytes(self, tokens: Number) -> Number:
        """Bytes of one sequence with that many tokens."""
        total = self.bytes_per_token * tokens + self.state_bytes
        for window, width in self.windows:
            total = total + width * np.minimum(tokens, window)
        return total

    def scaled(self, factor: float) -> CacheShape:
        """The same for that many times the layers."""
        return CacheShape(
            bytes_per_token=self.bytes_per_token * factor,
            windows=tuple((reach, width * factor) for reach, width in self.windows),
            state_bytes=self.state_bytes * factor,
        )

    def beside(self, other: CacheShape) -> CacheShape:
        """The cache of both together."""
        return CacheShape(
            bytes_per_token=self.bytes_per_token + other.bytes_per_token,
            windows=(*self.windows, *other.windows),
            state_bytes=self.state_bytes + other.state_bytes,
        )

    @classmethod
    def of(cls, architecture: Architecture, parallelism: Parallelism, kv_cache: str) -> CacheShape:
        """The cache of one rank: its key-value heads, a latent whole; of the largest stage."""
        width = kv_precision(kv_cache).bytes_per_element
        tp = parallelism.tensor_parallel_size
        share = parallelism.stage_layers(architecture) / architecture.num_layers
        full, state = 0.0, 0.0
        windows: dict[int, float] = {}
        for block in architecture.blocks:
            count = block.count * share
            mixer = block.mixer
            match mixer:
                case GroupedQueryAttention():
                    heads = max(mixer.num_key_value_heads // tp, 1)
                    per_token = count * 2 * heads * mixer.head_dim * width
                    if mixer.sliding_window is None:
                        full += per_token
                    else:
                        windows[mixer.sliding_window] = windows.get(mixer.sliding_window, 0.0) + per_token
                case LatentAttention():
                    full += count * mixer.cached_elements_per_token * width
                case GatedDeltaNet():
                    state += count * mixer.state_bytes_per_sequence / tp
        return cls(bytes_per_token=full, windows=tuple(sorted(windows.items())), state_bytes=state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of one GPU of an instance, in bytes, and the cache of the whole instance, in tokens.

    Parameters
    ----------
    total_bytes
        Of the GPU.
    weight_bytes, activation_bytes, workspace_bytes
        Weights of the largest stage; intermediate results of the largest step; driver, context,
        communication and CUDA graphs.
    kv_cache_bytes
        What the engine gives to the cache; ≤ 0 when the model does not fit.
    kv_cache_tokens
        Tokens of context that all data-parallel ranks together hold, as the engine logs it (layers with a
        window count as far as their window reaches over long sequences).
    cache
        Shape of the cache of one rank.
    data_parallel_size
        Ranks with a cache of their own.
    """

    total_bytes: float
    weight_bytes: float
    activation_bytes: float
    workspace_bytes: float
    kv_cache_bytes: float
    kv_cache_tokens: int
    cache: CacheShape
    data_parallel_size: int

    @property
    def fits(self) -> bool:
        """Whether weights and workspace leave room for a cache."""
        return self.kv_cache_bytes > 0


def weight_bytes_per_gpu(architecture: Architecture, parallelism: Parallelism, weights: str) -> float:
    """Weights on the fullest GPU.

    Attention, dense and shared feed-forward, embedding and output head are cut by TP, experts over the whole
    stage; key-value heads that TP outnumbers, latents' down-projections, routers and norms are whole on
    every GPU. The last stage holds the output head, the first the embedding.
    """
    scheme = weight_precision(weights)
    tp, h = parallelism.tensor_parallel_size, architecture.hidden_size
    share = parallelism.stage_layers(architecture) / architecture.num_layers
    moe = architecture.is_moe

    def stored(part: str) -> float:
        return scheme.bytes_per_weight if scheme.covers(part, moe=moe) else 2.0

    total = 0.0
    for block in architecture.blocks:
        mixer, ff = block.mixer, block.feed_forward
        attention = mixer.parameters(h) / tp
        if isinstance(mixer, GroupedQueryAttention) and tp > mixer.num_key_value_heads:
            attention += 2 * h * mixer.head_dim * (1 - mixer.num_key_value_heads / tp)
        elif isinstance(mixer, LatentAttention):
            down = h * ((mixer.q_lora_rank or 0) + mixer.kv_lora_rank + mixer.qk_rope_head_dim)
            attention += down * (1 - 1 / tp)
        layer = attention * stored("attention") + 2 * h * 2.0
        if isinstance(ff, MixtureOfExperts):
            experts = ff.num_experts * ff.expert_parameters(h) / parallelism.stage_gpus
            if scheme.covers("routed_experts", moe=moe):
                experts *= _padding(h, ff.expert_intermediate_size, parallelism, scheme)
            layer += experts * stored("routed_experts") + ff.router_parameters(h) * 2.0
            layer += ff.shared_parameters(h) / tp * stored("shared_experts")
        else:
            layer += ff.parameters(h) / tp * stored("dense_feed_forward")
        total += block.count * share * layer
    embedding = architecture.parts["embedding"] * 2.0 / tp
    head = architecture.parts["output_head"] * 2.0 / tp
    return total + (embedding + head if parallelism.pipeline_parallel_size == 1 else max(embedding, head))


def _padding(hidden: int, size: int, parallelism: Parallelism, scheme: WeightPrecision) -> float:
    """How much larger experts are for their kernels than in a checkpoint."""
    pieces, (tall, wide) = parallelism.expert_tensor_parallel_size, scheme.expert_multiples
    padded = math.ceil(hidden / tall) * tall * math.ceil(size / pieces / wide) * wide * pieces
    return padded / (hidden * size)


def draft_parallelism(parallelism: Parallelism) -> Parallelism:
    """How a model that drafts is cut: by tensor parallelism, as the model it drafts for."""
    return Parallelism(tensor_parallel_size=parallelism.tensor_parallel_size)


def memory(
    architecture: Architecture,
    parallelism: Parallelism,
    gpu: Gpu,
    engine: Engine,
    *,
    weights: str,
    kv_cache: str,
    max_num_batched_tokens: int,
    max_num_seqs: int,
    speculation: Speculation | None = None,
) -> Memory:
    """The memory of an instance by the engine's own rule.

    What drafts tokens has weights and a cache too: a further layer those of the mean of the others, a model
    of its own its own.
    """
    held, cache = _held(architecture, parallelism, weights, kv_cache)
    if speculation is not None and speculation.draft is not None:
        drafts, cut = speculation.draft, draft_parallelism(parallelism)
        held += weight_bytes_per_gpu(drafts, cut, speculation.draft_weights)
        cache = cache.beside(CacheShape.of(drafts, cut, kv_cache))
    elif speculation is not None:
        more = 1.0 + 1.0 / architecture.num_layers
        held, cache = held * more, cache.scaled(more)
    activations = _activation_bytes(architecture, parallelism, engine, max_num_batched_tokens, max_num_seqs)
    fraction, total = engine.memory_fraction, float(gpu.memory_bytes)
    started = CONTEXT_BYTES + (CONNECTED_BYTES if parallelism.gpus > 1 else 0.0)
    running = RUNNING_BYTES + _collective_bytes(parallelism, engine, gpu)
    layers = parallelism.stage_layers(architecture)
    graphs = engine.graph_bytes * layers * _graphs(max_num_seqs)
    seen, taken = total - DRIVER_BYTES, held + activations + running + graphs
    left = seen - started - taken
    if engine.memory_rule == "total":
        # what was in use before the engine began is not in its share
        room = min(seen * fraction - taken, left)
    elif engine.memory_rule == "free":
        room = left * fraction
    else:
        # the share is of what is free when context and communication are there
        room = min((seen - started) * fraction - held, left)
    # what a token of a long sequence takes on average: windows are full, states are shared by 4,096 tokens
    long = 4096.0
    per_token = cache.sequence_bytes(long) / long
    tokens = max(int(room / per_token), 0) * parallelism.data_parallel_size
    return Memory(
        total_bytes=total,
        weight_bytes=held,
        activation_bytes=activations,
        workspace_bytes=DRIVER_BYTES + started + running + graphs,
        kv_cache_bytes=room,
        kv_cache_tokens=tokens,
        cache=cache,
        data_parallel_size=parallelism.data_parallel_size,
    )


@lru_cache(maxsize=1024)
def _held(
    architecture: Architecture, parallelism: Parallelism, weights: str, kv_cache: str
) -> tuple[float, CacheShape]:
    """Weights on the fullest GPU and the shape of its cache: the same for every token budget."""
    held = weight_bytes_per_gpu(architecture, parallelism, weights)
    return held, CacheShape.of(architecture, parallelism, kv_cache)


def _collective_bytes(parallelism: Parallelism, engine: Engine, gpu: Gpu) -> float:
    """Buffers of the collectives of a stage, those of fused all-reduces with them."""
    if parallelism.stage_gpus == 1:
        return 0.0
    fused = parallelism.tensor_parallel_size > 1 and gpu.generation in FUSING
    return COLLECTIVE_BYTES + (engine.fused_all_reduce_bytes if fused else 0.0)


def _graphs(sequences: int) -> int:
    """CUDA graphs that vLLM captures: of steps with prompts up to 512 tokens, and of decodes alone.

    Sizes are 1, 2, 4, every eighth to 256 and every sixteenth beyond, to twice the sequences at most.
    """

    def sizes(most: int) -> int:
        small = sum(size <= most for size in (1, 2, 4))
        return small + min(most, 256) // 8 + max(min(most, 512) - 256, 0) // 16

    return sizes(2 * sequences) + sizes(sequences)


def _activation_bytes(
    architecture: Architecture, parallelism: Parallelism, engine: Engine, tokens: int, sequences: int
) -> float:
    """Peak of a step with all the tokens it may have.

    Either in a layer, where residual stream, its normed copy, the operator's input and result and the widest
    projection with its activation are live at once, or in the sampler, where the last hidden state and the
    logits are. Buffers of the experts are kept from layer to layer and stay beside both: one for the results
    of their first and of their second product, one for the activation between them.
    """
    tp, h = parallelism.tensor_parallel_size, architecture.hidden_size
    widest, experts = 0.0, 0.0
    for block in architecture.blocks:
        mixer, ff = block.mixer, block.feed_forward
        if isinstance(ff, DenseFeedForward):
            widest = max(widest, 3.0 * ff.intermediate_size / tp)
        else:
            pairs = ff.top_k / parallelism.expert_parallel_size
            inner = ff.expert_intermediate_size / parallelism.expert_tensor_parallel_size
            experts = max(experts, pairs * (max(2.0 * inner, h) + inner))
        if isinstance(mixer, LatentAttention):
            heads = mixer.num_heads / tp
            widest = max(
                widest, heads * 2.0 * (mixer.qk_nope_head_dim + mixer.qk_rope_head_dim + mixer.v_head_dim)
            )
        elif isinstance(mixer, GroupedQueryAttention):
            widest = max(widest, 2.0 * mixer.num_heads * mixer.head_dim / tp)
    layer = tokens * 2.0 * (4.0 * h + widest)
    sampler = tokens * 2.0 * h + sequences * architecture.vocab_size * engine.logit_bytes
    return tokens * 2.0 * experts + max(layer, sampler)
