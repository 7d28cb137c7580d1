import json
from pathlib import Path
from typing import Any

import pytest

from models.architecture import (
    GatedDeltaNet,
    GroupedQueryAttention,
    LatentAttention,
    load_config,
    parse_config,
)
from models.errors import InvalidInput, Unsupported

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
}


def parse(**changes: Any):
    return parse_config({**LLAMA, **changes}, name="x", source="x.json")


def test_grouped_query_with_explicit_head_dim() -> None:
    mixer = parse(head_dim=32).blocks[0].mixer
    assert mixer == GroupedQueryAttention(num_heads=4, num_key_value_heads=2, head_dim=32)


def test_tied_embeddings_are_counted_once() -> None:
    assert parse().parameters - parse(tie_word_embeddings=True).parameters == 100 * 64


def test_multimodal_wrapper_is_unwrapped_and_keeps_its_quantisation() -> None:
    wrapped = parse_config(
        {"model_type": "outer", "text_config": LLAMA, "quantization_config": {"quant_method": "fp8"}},
        name="x",
        source="x",
    )
    assert wrapped.parameters == parse().parameters
    assert wrapped.checkpoint_precision == "fp8"


@pytest.mark.parametrize(
    ("quantization", "precision"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8_block"),
        ({"quant_method": "awq"}, "int4"),
        ({"quant_method": "mxfp4"}, "mxfp4"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "fp8"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 4}}}},
            "int4",
        ),
    ],
)
def test_checkpoint_precision(quantization: dict[str, Any], precision: str) -> None:
    assert parse(quantization_config=quantization).checkpoint_precision == precision


def test_unknown_quantisation_is_refused() -> None:
    with pytest.raises(Unsupported, match="quantisation 'hqq'"):
        parse(quantization_config={"quant_method": "hqq"})


def test_latent_and_linear_attention_are_recognised() -> None:
    from models.architecture import architecture

    assert all(isinstance(b.mixer, LatentAttention) for b in architecture("deepseek-v3").blocks)
    kinds = {type(b.mixer): b.count for b in architecture("qwen3.5-397b-a17b").blocks}
    assert kinds == {GroupedQueryAttention: 15, GatedDeltaNet: 45}


def test_unknown_model_type_names_the_nearest() -> None:
    with pytest.raises(
        Unsupported, match=r"model_type 'qwen3_mo' is not known; the nearest known one is 'qwen3_moe'"
    ):
        parse(model_type="qwen3_mo")


@pytest.mark.parametrize("value", [-1, 1.5, "64", True])
def test_wrong_values_name_the_key(value: object) -> None:
    with pytest.raises(InvalidInput, match="hidden_size must be a non-negative integer"):
        parse(hidden_size=value)


def test_missing_key_and_bad_heads() -> None:
    with pytest.raises(InvalidInput, match="key vocab_size is missing"):
        parse(vocab_size=None)
    with pytest.raises(InvalidInput, match="must be a multiple of num_key_value_heads"):
        parse(num_key_value_heads=3)


def test_file_errors_carry_path_and_line(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "llama",\n oops}')
    with pytest.raises(InvalidInput, match=r"config\.json:2: not valid JSON"):
        load_config(path)
    path.write_text("[1]")
    with pytest.raises(InvalidInput, match="must be a JSON object"):
        load_config(path)
    path.write_text(json.dumps(LLAMA))
    assert load_config(path).num_layers == 2
