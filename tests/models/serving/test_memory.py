import pytest

from models.architecture import architecture
from models.errors import InvalidInput, Unsupported
from models.hardware import gpu
from models.serving import Memory, Parallelism, engine, memory
from models.serving.memory import (
    COLLECTIVE_BYTES,
    CONNECTED_BYTES,
    CONTEXT_BYTES,
    DRIVER_BYTES,
    CacheShape,
    weight_bytes_per_gpu,
)


def plan(name: str, on: str, weights: str = "bf16", *, engine_name: str = "vllm", **degrees: int) -> Memory:
    return memory(
        architecture(name),
        Parallelism(**degrees),
        gpu(on),
        engine(engine_name),
        weights=weights,
        kv_cache="bf16",
        max_num_batched_tokens=8192,
        max_num_seqs=256,
    )


@pytest.mark.parametrize("blocks", [27_793, 27_853, 27_893])
def test_llama_8b_on_80_gb_holds_what_vllm_logs(blocks: int) -> None:
    # GPU blocks of 16 tokens that vLLM 0.5 and 0.6 logged with their defaults on GPUs of 80 GB
    assert plan("llama-3.1-8b", "a100").kv_cache_tokens == pytest.approx(blocks * 16, rel=0.05)


def test_70b_in_bf16_needs_more_than_one_h100() -> None:
    assert not plan("llama-3.1-70b", "h100").fits
    assert plan("llama-3.1-70b", "h100", tensor_parallel_size=4).fits


@pytest.mark.parametrize("name", ["llama-3.1-70b", "mixtral-8x7b", "deepseek-v3"])
def test_one_gpu_holds_all_weights(name: str) -> None:
    model = architecture(name)
    assert weight_bytes_per_gpu(model, Parallelism(), "bf16") == pytest.approx(
        model.weight_bytes("bf16"), rel=1e-3
    )


def test_tensor_parallelism_divides_weights_and_cache_until_heads_run_out() -> None:
    model = architecture("llama-3.1-70b")
    whole = weight_bytes_per_gpu(model, Parallelism(), "bf16")
    assert weight_bytes_per_gpu(model, Parallelism(tensor_parallel_size=8), "bf16") == pytest.approx(
        whole / 8, rel=1e-3
    )
    per_token = {
        tp: CacheShape.of(model, Parallelism(tensor_parallel_size=tp), "bf16").bytes_per_token
        for tp in (1, 8, 16)
    }
    assert per_token[1] == 8 * per_token[8]
    assert per_token[16] == per_token[8]  # one key-value head a GPU is the least
    sixteen = weight_bytes_per_gpu(model, Parallelism(tensor_parallel_size=16), "bf16")
    assert sixteen > whole / 16  # replicated key-value projections


def test_a_latent_cache_is_whole_on_every_rank_but_data_parallel_ranks_have_their_own() -> None:
    model = architecture("deepseek-v3")
    one = CacheShape.of(model, Parallelism(), "bf16")
    assert CacheShape.of(model, Parallelism(tensor_parallel_size=8), "bf16") == one
    tensor = plan("deepseek-v3", "h200", "fp8_block", tensor_parallel_size=8, expert_parallel_size=8)
    data = plan("deepseek-v3", "h200", "fp8_block", data_parallel_size=8, expert_parallel_size=8)
    assert data.weight_bytes > tensor.weight_bytes  # attention is whole on every GPU
    assert data.kv_cache_tokens > 4 * tensor.kv_cache_tokens


def test_pipeline_stages_divide_layers_unevenly() -> None:
    model = architecture("deepseek-v3")
    cache = CacheShape.of(model, Parallelism(pipeline_parallel_size=2), "bf16")
    assert cache.bytes_per_token == pytest.approx(
        CacheShape.of(model, Parallelism(), "bf16").bytes_per_token * 31 / 61
    )


def test_sliding_windows_stop_growing() -> None:
    model = architecture("gpt-oss-120b")
    cache = CacheShape.of(model, Parallelism(), "bf16")
    assert cache.sequence_bytes(5000.0) == pytest.approx(model.kv_cache_bytes(5000, "bf16"))


def test_engines_differ_in_what_they_take() -> None:
    found = {e: plan("llama-3.1-8b", "h100", engine_name=e) for e in ("vllm", "sglang", "trtllm")}
    rooms = {e: one.kv_cache_bytes for e, one in found.items()}
    assert rooms["trtllm"] < rooms["sglang"] < rooms["vllm"]
    free = gpu("h100").memory_bytes - DRIVER_BYTES - CONTEXT_BYTES
    assert rooms["sglang"] == pytest.approx(
        0.88 * free - architecture("llama-3.1-8b").weight_bytes("bf16"), rel=1e-3
    )


def test_the_sampler_or_a_layer_is_the_peak_of_a_step() -> None:
    def activations(sequences: int, tokens: int) -> float:
        return memory(
            architecture("llama-3.1-8b"), Parallelism(), gpu("h100"), engine("vllm"), weights="bf16",
            kv_cache="bf16", max_num_batched_tokens=tokens, max_num_seqs=sequences,
        ).activation_bytes  # fmt: skip

    logits = 1024 * 128_256 * 15
    assert activations(1024, 8192) == logits + 8192 * 4096 * 2
    assert activations(1, 8192) == 8192 * 2 * (4 * 4096 + 3 * 14_336)
    assert activations(1, 4096) == activations(1, 8192) / 2


def test_versions_of_vllm_differ_in_what_they_take() -> None:
    old, new, newest = (engine("vllm", version) for version in ("0.10.1", "0.19.0", ""))
    assert old.logit_bytes > new.logit_bytes == newest.logit_bytes
    assert old.fused_all_reduce_bytes == 0 < new.fused_all_reduce_bytes
    assert new.graph_bytes == 0 < newest.graph_bytes
    with pytest.raises(InvalidInput, match=r"begins like 0\.19"):
        engine("vllm", "newest")
    with pytest.raises(Unsupported, match="sglang"):
        engine("sglang", "0.5")


def test_all_reduces_are_fused_in_buffers_of_their_own_where_there_are_kernels() -> None:
    def workspace(on: str, tp: int) -> float:
        return plan("llama-3.1-8b", on, tensor_parallel_size=tp).workspace_bytes

    more = engine("vllm").fused_all_reduce_bytes
    assert workspace("h100", 2) - workspace("h100", 1) == pytest.approx(
        CONNECTED_BYTES + COLLECTIVE_BYTES + more
    )
    assert workspace("a100", 2) - workspace("a100", 1) == pytest.approx(CONNECTED_BYTES + COLLECTIVE_BYTES)


def test_experts_in_mxfp4_are_padded_for_their_kernels_and_others_are_not() -> None:
    model = architecture("gpt-oss-120b")
    held = weight_bytes_per_gpu(model, Parallelism(), "mxfp4")
    padding = 3072 * 2944 / 2880**2
    experts = model.parts["routed_experts"] * (0.5 + 1 / 32)
    assert held - model.weight_bytes("mxfp4") == pytest.approx(experts * (padding - 1), rel=1e-5)
    bf16 = weight_bytes_per_gpu(model, Parallelism(), "bf16")
    assert bf16 == pytest.approx(model.weight_bytes("bf16"), rel=1e-3)
