"""The per-layer roofline of Seesaw (Table 3 and equation 1), with two corrections.

Per layer of W weights, a micro-batch on one tensor-parallel group takes::

    both(weight bytes / (B·TP), 2·tokens·W / (F·TP))
    + both(KV bytes / (B·TP), attention / (F·TP)) + all-reduce

and a stage is the sum over its L/PP layers. ``both(x, y) = max(x, y) + (1 − overlap) · min(x, y)``: at
overlap 1 it is the maximum of the paper's Table 3, at 0 the sum of its equation 2. The choice hardly matters
for a pure phase, where one of the two dwarfs the other, and decides how good chunked prefill looks.

Corrections: attention arithmetic is ``2 s² h_q d`` for a causal prompt and ``4 s h_q d`` for one new token,
where the paper prints ``d²``; a micro-batch is never smaller than one request, so that stages without a
request idle. Embedding, output head and point-to-point transfers are left out of the times, as in the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.architecture import Architecture, GroupedQueryAttention, kv_precision, weight_precision
from models.errors import InvalidInput, Unsupported
from models.hardware import Gpu
from planner.resharding.all_reduce import AllReduceTime
from planner.resharding.layout import Layout, layouts
from planner.resharding.phase_model import RequestClass

__all__ = ["PhaseRoofline"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseRoofline:
    """A dense model on a GPU by datasheet and measured all-reduce; implements `PhaseModel`.

    Parameters
    ----------
    architecture, gpu
        A model with grouped-query (or multi-head) attention and dense feed-forwards, and the GPU.
    all_reduce
        Measured; it decides where tensor parallelism stops paying.
    weights, kv_cache
        Precisions.
    compute_share, memory_share
        Shares of the datasheet's arithmetic and bandwidth that kernels reach.
    overlap
        How far arithmetic and memory traffic of one kernel hide each other, 0 to 1.
    memory_fraction
        Share of the memory for weights and cache.
    prefill_batch_tokens
        Prompt tokens of one micro-batch at least, when prompts are shorter.
    max_num_seqs
        Most requests that one replica decodes at once.
    """

    architecture: Architecture
    gpu: Gpu
    all_reduce: AllReduceTime
    weights: str = "bf16"
    kv_cache: str = "bf16"
    compute_share: float = 0.5
    memory_share: float = 0.8
    overlap: float = 0.5
    memory_fraction: float = 0.9
    prefill_batch_tokens: float = 4096.0
    max_num_seqs: int = 512

    def __post_init__(self) -> None:
        blocks = self.architecture.blocks
        dense = not self.architecture.is_moe and len(blocks) == 1
        if not dense or not isinstance(blocks[0].mixer, GroupedQueryAttention):
            raise Unsupported(
                f"{self.architecture.name} is not a dense model of equal grouped-query layers, "
                "which is all that this roofline describes"
            )
        for name in ("compute_share", "memory_share", "memory_fraction"):
            if not 0 < getattr(self, name) <= 1:
                raise InvalidInput(f"{name} must lie in (0, 1], got {getattr(self, name)}")
        if not 0 <= self.overlap <= 1:
            raise InvalidInput(f"overlap must lie in 0..1, got {self.overlap}")

    # -- shapes --------------------------------------------------------------------------------------------

    @property
    def _mixer(self) -> GroupedQueryAttention:
        mixer = self.architecture.blocks[0].mixer
        assert isinstance(mixer, GroupedQueryAttention)
        return mixer

    @property
    def _layer_weights(self) -> float:
        parts = self.architecture.parts
        return (parts["attention"] + parts["dense_feed_forward"]) / self.architecture.num_layers

    @property
    def _layer_weight_bytes(self) -> float:
        return self._layer_weights * weight_precision(self.weights).bytes_per_weight

    @property
    def kv_cache_bytes_per_token(self) -> float:
        """See `PhaseModel`."""
        return self.architecture.kv_cache_bytes_per_token(self.kv_cache)

    def layouts(self, gpus: int) -> tuple[Layout, ...]:
        """See `PhaseModel`."""
        return tuple(layouts(self.architecture, gpus, weights=self.weights))

    def weight_bytes_per_gpu(self, layout: Layout) -> float:
        """See `PhaseModel`; all weights in equal parts."""
        share = layout.tensor_parallel_size * layout.pipeline_parallel_size
        return self.architecture.weight_bytes(self.weights) / share

    def room_tokens(self, layout: Layout) -> float:
        """See `PhaseModel`: ``(memory − weights) · GPUs / bytes per token``."""
        free = self.gpu.memory_bytes * self.memory_fraction - self.weight_bytes_per_gpu(layout)
        heads = self._mixer.num_key_value_heads
        # key-value heads that tensor parallelism outnumbers are kept on several GPUs
        copies = max(layout.tensor_parallel_size / heads, 1.0)
        return free * layout.gpus / (self.kv_cache_bytes_per_token * copies)

    # -- times ---------------------------------------------------------------------------------------------

    def _both(self, memory_s: float, compute_s: float) -> float:
        return max(memory_s, compute_s) + (1.0 - self.overlap) * min(memory_s, compute_s)

    def _stage_s(self, layout: Layout, tokens: float, *attention: tuple[float, float]) -> float:
        """Seconds that a micro-batch of `tokens` new tokens spends in one stage.

        Each kernel of `attention` reads so many tokens of one layer's cache and does so many operations.
        """
        tp = layout.tensor_parallel_size
        flops = self.gpu.flops(weight_precision(self.weights).compute) * self.compute_share * tp
        bandwidth = self.gpu.memory_bandwidth_bytes_per_s * self.memory_share * tp
        layer = self._both(self._layer_weight_bytes / bandwidth, 2.0 * tokens * self._layer_weights / flops)
        width = self._mixer.cached_elements_per_token * kv_precision(self.kv_cache).bytes_per_element
        for cache_tokens, operations in attention:
            layer += self._both(width * cache_tokens / bandwidth, operations / flops)
        # one all-reduce of the 16-bit residual stream after attention, one after the feed-forward
        layer += 2.0 * self.all_reduce.seconds(tp, 2.0 * self.architecture.hidden_size * tokens)
        return layer * -(-self.architecture.num_layers // layout.pipeline_parallel_size)

    def _prompt(self, request: RequestClass, prompts: float, chunk: float) -> tuple[float, float]:
        """Attention of `prompts` prompts (a part of one may be meant) in chunks of `chunk` tokens."""
        s = request.input_tokens
        # the k-th chunk reads the k − 1 before it once more
        read = s * (1.0 + max(s / chunk - 1.0, 0.0) / 2.0)
        operations = 2.0 * s**2 * self._mixer.num_heads * self._mixer.head_dim
        return prompts * read, prompts * operations

    def _decoding(self, request: RequestClass, running: float) -> tuple[float, float]:
        """Attention of one new token of each of `running` requests."""
        cached = running * request.mean_context
        return cached, 4.0 * cached * self._mixer.num_heads * self._mixer.head_dim

    def prefill_s(self, layout: Layout, request: RequestClass) -> float:
        """See `PhaseModel`; the pipeline is kept full of micro-batches of whole prompts."""
        prompts = max(self.prefill_batch_tokens / request.input_tokens, 1.0)
        tokens = prompts * request.input_tokens
        stage = self._stage_s(layout, tokens, self._prompt(request, prompts, request.input_tokens))
        return stage / (prompts * layout.replicas)

    def batch(self, layout: Layout, request: RequestClass) -> float:
        """Requests that all replicas decode at once: as the cache holds, at most `max_num_seqs` each."""
        held = self.room_tokens(layout) / request.mean_context
        return min(held, float(self.max_num_seqs * layout.replicas))

    def _steps(self, layout: Layout, request: RequestClass) -> tuple[float, float]:
        """(requests of a micro-batch, micro-batches that run at once over all stages and replicas)."""
        batch = self.batch(layout, request)
        slots = float(layout.replicas * layout.pipeline_parallel_size)
        return (batch / slots, slots) if batch >= slots else (1.0, batch)

    def decode_s(self, layout: Layout, request: RequestClass) -> float:
        """See `PhaseModel`: equation 1, ``output tokens · T_stage · PP / batch``."""
        micro, running = self._steps(layout, request)
        stage = self._stage_s(layout, micro, self._decoding(request, micro))
        return request.output_tokens * stage * layout.pipeline_parallel_size / (micro * running)

    def token_s(self, layout: Layout, request: RequestClass, batch: float) -> float:
        """Seconds from one token of a request to its next when `batch` requests are decoded at once."""
        micro = max(batch / (layout.replicas * layout.pipeline_parallel_size), 1.0)
        stage = self._stage_s(layout, micro, self._decoding(request, micro))
        return stage * layout.pipeline_parallel_size

    def mixed_s(self, layout: Layout, request: RequestClass) -> float:
        """See `PhaseModel`: each step carries as many prompt tokens as keep the batch full.

        In a steady state ``1 / output tokens`` of the batch ends with each step and as many prompts enter;
        cutting them into equal chunks is the best that a chunk size can do.
        """
        micro, running = self._steps(layout, request)
        prompts = micro / request.output_tokens
        chunk = prompts * request.input_tokens
        stage = self._stage_s(
            layout, micro + chunk, self._decoding(request, micro), self._prompt(request, prompts, chunk)
        )
        return request.output_tokens * stage * layout.pipeline_parallel_size / (micro * running)
