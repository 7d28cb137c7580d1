"""Number formats of weights and of the KV cache."""

from __future__ import annotations

from dataclasses import dataclass

from models.errors import UnknownName

__all__ = [
    "KvPrecision",
    "WeightPrecision",
    "kv_precision",
    "kv_precision_names",
    "weight_precision",
    "weight_precision_names",
]

PARTS = ("attention", "dense_feed_forward", "routed_experts", "shared_experts")
"""Parts of a model that quantisation may touch; embeddings, output head, router and norms stay in bf16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightPrecision:
    """How the linear layers are stored and multiplied.

    Parameters
    ----------
    name
        Name in documents: ``fp8``.
    bytes_per_weight
        Storage with its scales: a 4-bit format with one fp8 scale per 16 weights takes 0.5625 bytes.
    compute
        Number format of the multiplication (a key of `Gpu.peak_flops`): weight-only formats compute in bf16.
    parts, moe_parts
        Parts stored in this format, in a dense model and in one with experts. Published 4-bit checkpoints
        of mixture-of-experts models keep their attention in bf16.
    expert_multiples
        What kernels for experts pad the hidden size, and the share of the expert size on a GPU, to multiples
        of; on the GPU the padding takes room too.
    """

    name: str
    bytes_per_weight: float
    compute: str
    parts: tuple[str, ...] = PARTS
    moe_parts: tuple[str, ...] = PARTS
    expert_multiples: tuple[int, int] = (1, 1)

    def covers(self, part: str, *, moe: bool) -> bool:
        """Whether a part of the model is stored in this format rather than in bf16."""
        return part in (self.moe_parts if moe else self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class KvPrecision:
    """How keys and values are stored: bytes for each element, scales included."""

    name: str
    bytes_per_element: float


_FEED_FORWARD = ("dense_feed_forward", "routed_experts", "shared_experts")
_WEIGHTS = {
    p.name: p
    for p in (
        WeightPrecision(name="bf16", bytes_per_weight=2.0, compute="bf16"),
        WeightPrecision(name="fp8", bytes_per_weight=1.0, compute="fp8"),
        # one fp32 scale per 128 × 128 block
        WeightPrecision(name="fp8_block", bytes_per_weight=1.0 + 4 / 128**2, compute="fp8"),
        WeightPrecision(name="int8", bytes_per_weight=1.0, compute="int8"),
        # weight only (AWQ, GPTQ, compressed-tensors): one bf16 scale per 128 (dense) weights
        WeightPrecision(
            name="int4", bytes_per_weight=0.5 + 2 / 128, compute="bf16", moe_parts=("routed_experts",)
        ),
        # one fp8 scale per 16 weights
        WeightPrecision(name="nvfp4", bytes_per_weight=0.5 + 1 / 16, compute="fp4", moe_parts=_FEED_FORWARD),
        # OCP microscaling: one 8-bit exponent per 32 weights; multiplied in bf16 as the engines do on Hopper.
        # With these multiples gpt-oss takes the 65.97 and 13.72 GiB that vLLM logs (117B and 21B weights)
        WeightPrecision(
            name="mxfp4",
            bytes_per_weight=0.5 + 1 / 32,
            compute="bf16",
            moe_parts=("routed_experts",),
            expert_multiples=(256, 128),
        ),
    )
}
_KV = {
    p.name: p
    for p in (
        KvPrecision(name="bf16", bytes_per_element=2.0),
        KvPrecision(name="fp8", bytes_per_element=1.0),
        KvPrecision(name="nvfp4", bytes_per_element=0.5 + 1 / 16),
    )
}
_ALIASES = {"bfloat16": "bf16", "fp16": "bf16", "float16": "bf16", "half": "bf16", "fp4": "nvfp4"}


def weight_precision(name: str) -> WeightPrecision:
    """The weight format of that name (``fp16`` is accounted as ``bf16``); `UnknownName` otherwise."""
    found = _WEIGHTS.get(_ALIASES.get(name, name))
    if found is None:
        raise UnknownName("weight precision", name, _WEIGHTS)
    return found


def kv_precision(name: str) -> KvPrecision:
    """The KV cache format of that name; `UnknownName` otherwise."""
    found = _KV.get(_ALIASES.get(name, name))
    if found is None:
        raise UnknownName("KV cache precision", name, _KV)
    return found


def weight_precision_names() -> tuple[str, ...]:
    """Names of all weight formats."""
    return tuple(_WEIGHTS)


def kv_precision_names() -> tuple[str, ...]:
    """Names of all KV cache formats."""
    return tuple(_KV)
