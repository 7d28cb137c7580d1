"""Architectures from a Hugging Face ``config.json``.

Each model type has one reader below that turns its keys into layers. Keys that do not shape the weights, the
cache or the arithmetic (dropout, token ids, rotary frequencies …) are not read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from models.architecture.architecture import Architecture, Block
from models.architecture.feed_forward import DenseFeedForward, FeedForward, MixtureOfExperts
from models.architecture.mixers import (
    GatedDeltaNet,
    GroupedQueryAttention,
    LatentAttention,
    Mixer,
    SparseIndexer,
)
from models.errors import InvalidInput, Unsupported, nearest

__all__ = ["load_config", "parse_config", "supported_model_types"]


class _Keys:
    """The keys of one config, read with their type checked and errors that name them."""

    def __init__(self, values: Mapping[str, Any], source: str) -> None:
        self.values = values
        self.source = source

    def integer(self, *names: str, default: int | None = None) -> int:
        """The first of `names` that is present and not null: a positive integer."""
        for name in names:
            value = self.values.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InvalidInput(
                    f"{name} must be a non-negative integer, got {value!r}", source=self.source, path=(name,)
                )
            return value
        if default is None:
            raise InvalidInput(f"key {' or '.join(names)} is missing", source=self.source)
        return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean key."""
        value = self.values.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise InvalidInput(f"{name} must be true or false, got {value!r}", source=self.source)
        return value


def load_config(path: Path | str) -> Architecture:
    """The architecture in a ``config.json`` file.

    Raises
    ------
    InvalidInput
        The file cannot be read, is not a JSON object, or lacks a key.
    Unsupported
        The model type has no reader.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the model config: {error}", source=str(path)) from None
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"not valid JSON: {error.msg}", source=str(path), line=error.lineno) from None
    if not isinstance(values, dict):
        raise InvalidInput("a model config must be a JSON object", source=str(path))
    return parse_config(values, name=str(path), source=str(path))


def parse_config(values: Mapping[str, Any], *, name: str, source: str) -> Architecture:
    """The architecture in the parsed content of a ``config.json``; raises as `load_config` does."""
    outer = values
    inner = values.get("text_config")
    if isinstance(inner, Mapping):  # a multi-modal wrapper: the language model is inside
        values = {"quantization_config": outer.get("quantization_config"), **inner}
    keys = _Keys(values, source)
    model_type = values.get("model_type")
    reader = _READERS.get(model_type) if isinstance(model_type, str) else None
    if reader is None:
        close = nearest(str(model_type), _READERS)
        hint = f"; the nearest known one is {close!r}" if close else ""
        raise Unsupported(
            f"model_type {model_type!r} is not known{hint}. Known: {', '.join(supported_model_types())}",
            source=source,
        )
    blocks = reader(keys)
    tied_by_default = model_type in {"opt", "bloom"}
    return Architecture(
        name=name,
        hidden_size=keys.integer("hidden_size", "n_embed"),
        vocab_size=keys.integer("vocab_size"),
        blocks=blocks,
        tie_word_embeddings=keys.flag("tie_word_embeddings", default=tied_by_default),
        checkpoint_precision=_checkpoint_precision(values.get("quantization_config"), source),
        max_context_tokens=keys.integer("max_position_embeddings", "seq_length", default=2048),
        source=source,
        # OPT's learned positions have two rows of offset
        position_embeddings=keys.integer("max_position_embeddings") + 2 if model_type == "opt" else 0,
    )


def supported_model_types() -> tuple[str, ...]:
    """Values of ``model_type`` that have a reader, sorted."""
    return tuple(sorted(_READERS))


def _checkpoint_precision(config: object, source: str) -> str:
    """The weight format that ``quantization_config`` declares."""
    if config is None:
        return "bf16"
    if not isinstance(config, Mapping):
        raise InvalidInput("quantization_config must be an object", source=source)
    method = str(config.get("quant_method", "")).casefold()
    if method == "fp8":
        return "fp8_block" if config.get("weight_block_size") else "fp8"
    if method in {"awq", "gptq"}:
        return "int4"
    if method == "mxfp4":
        return "mxfp4"
    algorithm = str(config.get("quant_algo", "")).casefold()
    if method == "modelopt" or algorithm:
        if "nvfp4" in algorithm or "fp4" in str(config.get("quant_algo", method)).casefold():
            return "nvfp4"
        if "fp8" in algorithm:
            return "fp8"
    if method == "compressed-tensors":
        groups = config.get("config_groups", {})
        bits = {
            (group.get("weights") or {}).get("num_bits")
            for group in (groups.values() if isinstance(groups, Mapping) else ())
        }
        if bits == {4}:
            return "int4"
        if bits == {8}:
            return "fp8"
    raise Unsupported(f"quantisation {method or algorithm or config!r} is not known", source=source)


def _attention(keys: _Keys, *, qk_norm: bool = False, **more: Any) -> GroupedQueryAttention:
    heads = keys.integer("num_attention_heads", "n_head")
    hidden = keys.integer("hidden_size", "n_embed")
    head_dim = keys.integer("head_dim", default=0) or hidden // max(heads, 1)
    return GroupedQueryAttention(
        num_heads=heads,
        num_key_value_heads=keys.integer("num_key_value_heads", default=heads),
        head_dim=head_dim,
        qk_norm=qk_norm,
        bias=more.pop("bias", keys.flag("attention_bias")),
        **more,
    )


def _layers(keys: _Keys) -> int:
    return keys.integer("num_hidden_layers", "n_layer")


def _window(keys: _Keys) -> int | None:
    """The sliding window, unless the config switches it off."""
    if not keys.flag("use_sliding_window", default=True):
        return None
    return keys.integer("sliding_window", default=0) or None


def _llama(keys: _Keys) -> tuple[Block, ...]:
    feed_forward = DenseFeedForward(
        intermediate_size=keys.integer("intermediate_size"), bias=keys.flag("mlp_bias")
    )
    return (Block(_layers(keys), _attention(keys), feed_forward),)


def _mistral(keys: _Keys) -> tuple[Block, ...]:
    attention = _attention(keys, sliding_window=_window(keys))
    feed_forward: FeedForward = DenseFeedForward(intermediate_size=keys.integer("intermediate_size"))
    if keys.values.get("num_local_experts"):
        feed_forward = _experts(keys, expert_size=keys.integer("intermediate_size"))
    return (Block(_layers(keys), attention, feed_forward),)


def _qwen2(keys: _Keys) -> tuple[Block, ...]:
    # q, k and v have biases, the output projection has none: hidden terms too many, below 0.01 %
    attention = _attention(keys, bias=True, sliding_window=_window_of_qwen(keys))
    return (
        Block(
            _layers(keys), attention, DenseFeedForward(intermediate_size=keys.integer("intermediate_size"))
        ),
    )


def _window_of_qwen(keys: _Keys) -> int | None:
    return _window(keys) if keys.flag("use_sliding_window") else None


def _qwen3(keys: _Keys) -> tuple[Block, ...]:
    attention = _attention(keys, qk_norm=True, sliding_window=_window_of_qwen(keys))
    return (
        Block(
            _layers(keys), attention, DenseFeedForward(intermediate_size=keys.integer("intermediate_size"))
        ),
    )


def _experts(
    keys: _Keys, *, expert_size: int, shared: int = 0, bias: bool = False, shared_gate: bool = False
) -> MixtureOfExperts:
    return MixtureOfExperts(
        num_experts=keys.integer("num_local_experts", "num_experts", "n_routed_experts"),
        top_k=keys.integer("num_experts_per_tok", "experts_per_token"),
        expert_intermediate_size=expert_size,
        shared_intermediate_size=shared,
        bias=bias,
        shared_gate=shared_gate,
    )


def _qwen3_moe(keys: _Keys) -> tuple[Block, ...]:
    attention = _attention(keys, qk_norm=True, sliding_window=_window_of_qwen(keys))
    experts = _experts(keys, expert_size=keys.integer("moe_intermediate_size"))
    dense = len(keys.values.get("mlp_only_layers") or ())
    blocks = [Block(_layers(keys) - dense, attention, experts)]
    if dense:
        blocks.append(
            Block(dense, attention, DenseFeedForward(intermediate_size=keys.integer("intermediate_size")))
        )
    return tuple(blocks)


def _minimax_m2(keys: _Keys) -> tuple[Block, ...]:
    experts = _experts(
        keys,
        expert_size=keys.integer("intermediate_size"),
        shared=keys.integer("shared_intermediate_size", default=0),
    )
    return (Block(_layers(keys), _attention(keys, qk_norm=keys.flag("use_qk_norm")), experts),)


def _gpt_oss(keys: _Keys) -> tuple[Block, ...]:
    experts = _experts(keys, expert_size=keys.integer("intermediate_size"), bias=True)
    full, sliding = _split(keys, "full_attention", "sliding_attention")
    blocks = [Block(full, _attention(keys, sinks=True), experts)]
    if sliding:
        window = keys.integer("sliding_window")
        blocks.append(Block(sliding, _attention(keys, sinks=True, sliding_window=window), experts))
    return tuple(blocks)


def _split(keys: _Keys, first: str, second: str) -> tuple[int, int]:
    """How many layers are of either kind, from ``layer_types``."""
    kinds = keys.values.get("layer_types")
    if not isinstance(kinds, list) or len(kinds) != _layers(keys) or set(kinds) - {first, second}:
        raise InvalidInput(
            f"layer_types must name {first} or {second} for each of the {_layers(keys)} layers",
            source=keys.source,
            path=("layer_types",),
        )
    return kinds.count(first), kinds.count(second)


def _deepseek(keys: _Keys) -> tuple[Block, ...]:
    indexer = None
    if keys.values.get("index_topk"):
        indexer = SparseIndexer(
            num_heads=keys.integer("index_n_heads"),
            head_dim=keys.integer("index_head_dim"),
            top_k=keys.integer("index_topk"),
        )
    attention: Mixer = LatentAttention(
        num_heads=keys.integer("num_attention_heads"),
        q_lora_rank=keys.integer("q_lora_rank", default=0) or None,
        kv_lora_rank=keys.integer("kv_lora_rank"),
        qk_nope_head_dim=keys.integer("qk_nope_head_dim"),
        qk_rope_head_dim=keys.integer("qk_rope_head_dim"),
        v_head_dim=keys.integer("v_head_dim"),
        indexer=indexer,
    )
    expert = keys.integer("moe_intermediate_size")
    experts = _experts(keys, expert_size=expert, shared=expert * keys.integer("n_shared_experts", default=0))
    dense = keys.integer("first_k_dense_replace", default=0)
    blocks = [Block(_layers(keys) - dense, attention, experts)]
    if dense:
        blocks.append(
            Block(dense, attention, DenseFeedForward(intermediate_size=keys.integer("intermediate_size")))
        )
    return tuple(blocks)


def _qwen3_5(keys: _Keys) -> tuple[Block, ...]:
    full, linear = _split(keys, "full_attention", "linear_attention")
    feed_forward: FeedForward
    if keys.values.get("num_experts"):
        feed_forward = _experts(
            keys,
            expert_size=keys.integer("moe_intermediate_size"),
            shared=keys.integer("shared_expert_intermediate_size", default=0),
            shared_gate=True,
        )
    else:
        feed_forward = DenseFeedForward(intermediate_size=keys.integer("intermediate_size"))
    attention = _attention(keys, qk_norm=True, output_gate=keys.flag("attn_output_gate", default=True))
    delta = GatedDeltaNet(
        num_key_heads=keys.integer("linear_num_key_heads"),
        num_value_heads=keys.integer("linear_num_value_heads"),
        key_head_dim=keys.integer("linear_key_head_dim"),
        value_head_dim=keys.integer("linear_value_head_dim"),
        conv_kernel=keys.integer("linear_conv_kernel_dim"),
    )
    return (Block(full, attention, feed_forward), Block(linear, delta, feed_forward))


def _opt(keys: _Keys) -> tuple[Block, ...]:
    feed_forward = DenseFeedForward(intermediate_size=keys.integer("ffn_dim"), gated=False, bias=True)
    return (Block(_layers(keys), _attention(keys, bias=True), feed_forward),)


def _bloom(keys: _Keys) -> tuple[Block, ...]:
    hidden = keys.integer("hidden_size", "n_embed")
    feed_forward = DenseFeedForward(intermediate_size=4 * hidden, gated=False, bias=True)
    return (Block(_layers(keys), _attention(keys, bias=True), feed_forward),)


_READERS: dict[str, Callable[[_Keys], tuple[Block, ...]]] = {
    "bloom": _bloom,
    "deepseek_v3": _deepseek,
    "deepseek_v32": _deepseek,
    "glm_moe_dsa": _deepseek,
    "gpt_oss": _gpt_oss,
    "kimi_k2": _deepseek,
    "llama": _llama,
    "minimax_m2": _minimax_m2,
    "mistral": _mistral,
    "mixtral": _mistral,
    "opt": _opt,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "qwen3_5_moe_text": _qwen3_5,
    "qwen3_5_text": _qwen3_5,
    "qwen3_moe": _qwen3_moe,
}
