import numpy as np
import pytest

from models.architecture import architecture
from models.errors import InvalidInput, UnknownName


@pytest.mark.parametrize(
    ("name", "bytes_per_token"),
    [
        ("llama-3.1-70b", 2 * 80 * 8 * 128 * 2),
        ("opt-13b", 819_200),  # DistServe's table fits this value
        ("deepseek-v3", 61 * (512 + 64) * 2),
        ("qwen3.5-397b-a17b", 15 * 2 * 2 * 256 * 2),  # only every fourth layer keeps a cache
    ],
)
def test_kv_cache_bytes_per_token(name: str, bytes_per_token: int) -> None:
    assert architecture(name).kv_cache_bytes_per_token("bf16") == bytes_per_token
    assert architecture(name).kv_cache_bytes_per_token("fp8") == bytes_per_token / 2


def test_opt_66b_cache_of_512_tokens_is_the_papers_example() -> None:
    # 1.13 GB in the DistServe paper, in binary units
    assert architecture("opt-66b").kv_cache_bytes(512, "bf16") / 2**30 == pytest.approx(1.13, abs=0.01)


def test_sliding_windows_stop_growing() -> None:
    model = architecture("gpt-oss-120b")
    per_layer = 2 * 8 * 64 * 2
    assert model.kv_cache_bytes(100, "bf16") == 36 * per_layer * 100
    assert model.kv_cache_bytes(1000, "bf16") == 18 * per_layer * (1000 + 128)
    assert model.kv_cache_bytes_per_token("bf16") == 18 * per_layer


def test_linear_attention_keeps_a_state_whatever_the_length() -> None:
    model = architecture("qwen3.5-397b-a17b")
    state = 45 * (64 * 128 * 128 * 4 + (2 * 16 * 128 + 64 * 128) * 3 * 2)
    assert model.kv_cache_bytes(0, "bf16") == state
    assert model.kv_cache_bytes(10, "fp8") == state + 10 * model.kv_cache_bytes_per_token("fp8")


def test_weight_bytes_by_format() -> None:
    model = architecture("llama-3.1-8b")
    assert model.weight_bytes("bf16") == 2 * model.parameters
    unquantised = model.parts["embedding"] + model.parts["output_head"] + model.parts["norms"]
    assert model.weight_bytes("fp8") == model.parameters + unquantised
    assert model.weight_bytes("fp16") == model.weight_bytes("bf16")
    # gpt-oss-120b's checkpoint is published as 65.2 GB (60.8 GiB)
    assert architecture("gpt-oss-120b").weight_bytes("mxfp4") / 2**30 == pytest.approx(60.8, rel=0.01)
    with pytest.raises(UnknownName, match="did you mean 'fp8'"):
        model.weight_bytes("fp08")


def test_four_bit_experts_leave_attention_in_bf16() -> None:
    model = architecture("deepseek-v3")
    rest = sum(model.parts[p] for p in ("attention", "embedding", "output_head", "router", "norms"))
    assert model.weight_bytes("nvfp4") == pytest.approx(2 * rest + 0.5625 * (model.parameters - rest))


def test_flops_are_two_per_active_weight_plus_attention() -> None:
    model = architecture("llama-3.1-8b")
    weights = model.parameters - model.parts["embedding"] - model.parts["output_head"] - model.parts["norms"]
    head = 2 * model.vocab_size * model.hidden_size
    attention = 32 * 4 * 32 * 128  # per token of context
    assert model.flops(1, context=999) == 2 * weights + head + attention * 1000
    assert model.flops(0) == 0.0
    # prefilling in two pieces costs what one piece costs, but for the second read of the head
    whole, first, second = model.flops(1000), model.flops(400), model.flops(600, context=400)
    assert first + second - head == pytest.approx(whole)
    assert np.isfinite(model.flops(1e6))


def test_negative_or_nan_lengths_are_refused() -> None:
    for tokens in (-1, float("nan")):
        with pytest.raises(InvalidInput, match="tokens must be"):
            architecture("llama-3.1-8b").kv_cache_bytes(tokens, "bf16")
