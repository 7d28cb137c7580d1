"""Which operators one forward pass runs on one rank, with the shapes they have after sharding."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.architecture import (
    Architecture,
    Block,
    DenseFeedForward,
    GatedDeltaNet,
    GroupedQueryAttention,
    LatentAttention,
    MixtureOfExperts,
    weight_precision,
)
from models.serving.operators import AllReduce, Attention, Experts, Gemm, LinearAttention
from models.serving.parallelism import Parallelism

__all__ = ["PassOperators"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassOperators:
    """All operators of one pass through the whole model on one rank of each stage.

    Parameters
    ----------
    gemms, attention, linear_attention, experts, all_reduces
        Operators by kind; equal layers are one entry with a count.
    exchanges
        Gathers and scatters around the experts under attention data parallelism.
    head
        The output projection; its rows are the sequences that get a token.
    elementwise_bytes_per_token
        Bytes that norms, activations and residual additions move.
    small_kernels
        Launches beyond the operators above: norms, rotary embedding with cache write, activation, … Tables
        time a quantised product with the conversion of its input, so that these are not among them.
    """

    gemms: tuple[Gemm, ...]
    attention: tuple[Attention, ...]
    linear_attention: tuple[LinearAttention, ...]
    experts: tuple[Experts, ...]
    all_reduces: tuple[AllReduce, ...]
    exchanges: tuple[AllReduce, ...]
    head: Gemm
    elementwise_bytes_per_token: float
    small_kernels: int

    @classmethod
    def of(
        cls, architecture: Architecture, parallelism: Parallelism, *, weights: str, kv_cache: str
    ) -> PassOperators:
        """The operators of a model in a precision, cut for a parallelism it allows."""
        builder = _Builder(architecture, parallelism, weights, kv_cache)
        for block in architecture.blocks:
            builder.add(block)
        tp = parallelism.tensor_parallel_size
        return cls(
            gemms=tuple(builder.gemms),
            attention=tuple(builder.attention),
            linear_attention=tuple(builder.linear_attention),
            experts=tuple(builder.experts),
            all_reduces=tuple(builder.all_reduces),
            exchanges=tuple(builder.exchanges),
            head=Gemm(-(-architecture.vocab_size // tp), architecture.hidden_size, "bf16", 1),
            elementwise_bytes_per_token=builder.elementwise,
            small_kernels=builder.kernels,
        )


@dataclass(slots=True)
class _Builder:
    """Collects the operators of one block after the other."""

    architecture: Architecture
    parallelism: Parallelism
    weights: str
    kv_cache: str
    gemms: list[Gemm] = field(default_factory=list)
    attention: list[Attention] = field(default_factory=list)
    linear_attention: list[LinearAttention] = field(default_factory=list)
    experts: list[Experts] = field(default_factory=list)
    all_reduces: list[AllReduce] = field(default_factory=list)
    exchanges: list[AllReduce] = field(default_factory=list)
    elementwise: float = 0.0
    kernels: int = 0

    def precision(self, part: str) -> str:
        scheme = weight_precision(self.weights)
        return scheme.name if scheme.covers(part, moe=self.architecture.is_moe) else "bf16"

    def add(self, block: Block) -> None:
        h, tp, count = self.architecture.hidden_size, self.parallelism.tensor_parallel_size, block.count
        match block.mixer:
            case GroupedQueryAttention():
                self._grouped(block.mixer, count)
                small = 3 + block.mixer.qk_norm
            case LatentAttention():
                self._latent(block.mixer, count)
                small = 5
            case GatedDeltaNet():
                self._delta(block.mixer, count)
                small = 6
        ff = block.feed_forward
        if isinstance(ff, DenseFeedForward):
            precision = self.precision("dense_feed_forward")
            inner = ff.intermediate_size // tp
            self.gemms += [
                Gemm((2 if ff.gated else 1) * inner, h, precision, count),
                Gemm(h, inner, precision, count),
            ]
            active = float(inner)
            small += 1
        else:
            active = self._experts(ff, count)
            # choosing experts; kernels for experts in FP4 do it themselves
            small += self.precision("routed_experts") not in ("mxfp4", "nvfp4")
        if self.parallelism.stage_gpus > 1 and self.parallelism.data_parallel_size == 1:
            self.all_reduces.append(AllReduce(tp, 2 * h, 2 * count))
        elif self.parallelism.data_parallel_size > 1:
            if tp > 1:
                self.all_reduces.append(AllReduce(tp, 2 * h, count))
            if isinstance(ff, MixtureOfExperts):
                self.exchanges.append(AllReduce(self.parallelism.stage_gpus, 2 * h, count, ff.top_k))
        self.kernels += count * small
        # two norms and two residual additions over the hidden size, the activation over what is active
        self.elementwise += count * 2.0 * (8 * h + 3 * active)

    def _grouped(self, mixer: GroupedQueryAttention, count: int) -> None:
        h, tp = self.architecture.hidden_size, self.parallelism.tensor_parallel_size
        heads, kv_heads = mixer.num_heads // tp, max(mixer.num_key_value_heads // tp, 1)
        queries = heads * (2 if mixer.output_gate else 1)
        precision = self.precision("attention")
        self.gemms += [
            Gemm((queries + 2 * kv_heads) * mixer.head_dim, h, precision, count),
            Gemm(h, heads * mixer.head_dim, precision, count),
        ]
        self.attention.append(
            Attention(
                heads=heads,
                kv_heads=kv_heads,
                key_dim=mixer.head_dim,
                value_dim=mixer.head_dim,
                kv_precision=self.kv_cache,
                count=count,
                window=mixer.sliding_window or 0,
                prefill_key_dim=mixer.head_dim,
                prefill_value_dim=mixer.head_dim,
            )
        )

    def _latent(self, mixer: LatentAttention, count: int) -> None:
        h, heads = self.architecture.hidden_size, mixer.num_heads // self.parallelism.tensor_parallel_size
        qk = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim
        precision = self.precision("attention")
        latent = mixer.kv_lora_rank + mixer.qk_rope_head_dim
        around: list[Gemm] = []
        if mixer.q_lora_rank is None:
            around.append(Gemm(heads * qk + latent, h, precision, count))
        else:  # both down-projections are one product, and whole on every rank
            around.append(Gemm(mixer.q_lora_rank + latent, h, precision, count))
            around.append(Gemm(heads * qk, mixer.q_lora_rank, precision, count))
        around.append(Gemm(h, heads * mixer.v_head_dim, precision, count))
        # the up-projection of the latent: explicit when prefilling, absorbed into two products when decoding
        up = heads * (mixer.qk_nope_head_dim + mixer.v_head_dim)
        around.append(Gemm(up, mixer.kv_lora_rank, precision, count))
        indexer = mixer.indexer
        if indexer is not None:
            source = mixer.q_lora_rank or h
            around.append(Gemm(indexer.num_heads * indexer.head_dim, source, precision, count))
            around.append(Gemm(indexer.head_dim + indexer.num_heads, h, precision, count))
        self.attention.append(
            Attention(
                heads=heads,
                kv_heads=1,
                key_dim=latent,
                value_dim=mixer.kv_lora_rank,
                kv_precision=self.kv_cache,
                count=count,
                latent=True,
                prefill_key_dim=qk,
                prefill_value_dim=mixer.v_head_dim,
                top_k=0 if indexer is None else indexer.top_k,
                indexer_heads=0 if indexer is None else indexer.num_heads,
                indexer_dim=0 if indexer is None else indexer.head_dim,
                projections=tuple(around),
            )
        )

    def _delta(self, mixer: GatedDeltaNet, count: int) -> None:
        h, tp = self.architecture.hidden_size, self.parallelism.tensor_parallel_size
        key_heads, value_heads = mixer.num_key_heads // tp, mixer.num_value_heads // tp
        keys, values = key_heads * mixer.key_head_dim, value_heads * mixer.value_head_dim
        precision = self.precision("attention")
        self.gemms += [
            Gemm(2 * keys + 2 * values, h, precision, count),
            Gemm(2 * value_heads, h, "bf16", count),
            Gemm(h, values, precision, count),
        ]
        self.linear_attention.append(
            LinearAttention(
                key_heads=key_heads,
                value_heads=value_heads,
                key_dim=mixer.key_head_dim,
                value_dim=mixer.value_head_dim,
                conv_kernel=mixer.conv_kernel,
                count=count,
            )
        )

    def _experts(self, ff: MixtureOfExperts, count: int) -> float:
        """Adds router, shared and routed experts; the activations of a token on one rank."""
        h, parallelism = self.architecture.hidden_size, self.parallelism
        self.gemms.append(Gemm(ff.num_experts, h, "bf16", count))
        pieces = parallelism.expert_tensor_parallel_size
        active = ff.top_k * ff.expert_intermediate_size / parallelism.stage_gpus
        if ff.shared_intermediate_size:
            precision = self.precision("shared_experts")
            shared = max(ff.shared_intermediate_size // parallelism.tensor_parallel_size, 1)
            self.gemms += [Gemm(2 * shared, h, precision, count), Gemm(h, shared, precision, count)]
            active += shared
        self.experts.append(
            Experts(
                hidden_size=h,
                expert_size=ff.expert_intermediate_size,
                top_k=ff.top_k,
                num_experts=ff.num_experts,
                tensor_parallel_size=pieces,
                expert_parallel_size=parallelism.expert_parallel_size,
                precision=self.precision("routed_experts"),
                count=count,
            )
        )
        return active
