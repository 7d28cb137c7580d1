import numpy as np
import pytest

from models.hardware import gpu
from models.serving.operators import AllReduce, Attention, Experts, Gemm
from models.serving.roofline import MEMORY_SHARE, RooflineTimes

TOKENS = np.array([1.0, 64.0, 8192.0])


def test_small_products_wait_for_memory_and_large_ones_for_arithmetic() -> None:
    h100 = RooflineTimes(gpu("h100"))
    small, _, large = h100.gemm(Gemm(8192, 8192, "bf16", 1), TOKENS)
    assert small == pytest.approx(2 * 8192**2 / (3350e9 * MEMORY_SHARE) * 1e3, rel=0.01)
    assert large == pytest.approx(2 * 8192**3 / (989e12 * 0.70) * 1e3)
    assert (
        h100.gemm(Gemm(8192, 8192, "bf16", 3), TOKENS) == 3 * h100.gemm(Gemm(8192, 8192, "bf16", 1), TOKENS)
    ).all()


def test_fp8_without_fp8_units_only_saves_memory() -> None:
    a100 = RooflineTimes(gpu("a100"))
    bf16, fp8 = (a100.gemm(Gemm(8192, 8192, p, 1), TOKENS) for p in ("bf16", "fp8"))
    assert fp8[0] == pytest.approx(bf16[0] / 2, rel=0.01)
    assert fp8[2] == bf16[2]


def test_few_tokens_touch_few_experts() -> None:
    op = Experts(
        hidden_size=4096,
        expert_size=14336,
        top_k=2,
        num_experts=8,
        tensor_parallel_size=1,
        expert_parallel_size=1,
        precision="bf16",
        count=1,
    )
    one, many = RooflineTimes(gpu("h100")).experts(op, np.array([1.0, 64.0]))
    assert many / one == pytest.approx(4.0, rel=0.02)  # 8 experts' weights instead of 2


def test_decode_attention_reads_the_cache_and_windows_bound_it() -> None:
    shape = {"heads": 32, "kv_heads": 8, "key_dim": 128, "value_dim": 128, "kv_precision": "bf16", "count": 1}
    full = RooflineTimes(gpu("h100")).decode_attention(
        Attention(**shape), np.array([64.0]), np.array([4096.0, 8192.0])
    )
    assert full[0, 1] == pytest.approx(2 * full[0, 0])
    assert full[0, 0] == pytest.approx(64 * 4096 * 4096 / (3350e9 * 0.65) * 1e3)
    windowed = RooflineTimes(gpu("h100")).decode_attention(
        Attention(**shape, window=128), np.array([64.0]), np.array([4096.0, 8192.0])
    )
    assert windowed[0, 0] == windowed[0, 1] < full[0, 0]


def test_all_reduce_over_pcie_is_slower_than_over_nvlink() -> None:
    op = AllReduce(4, 16384, 1)
    nvlink, pcie = (RooflineTimes(gpu(name)).all_reduce(op, TOKENS) for name in ("h100", "l40s"))
    assert (pcie > nvlink).all()
    assert RooflineTimes(gpu("h100")).all_reduce(AllReduce(1, 16384, 1), TOKENS).tolist() == [0, 0, 0]


def test_an_all_to_all_beats_a_gather_in_a_wide_group_and_the_network_is_slower_than_the_link() -> None:
    times = RooflineTimes(gpu("gb200-186gb"))
    tokens = np.array([64.0, 4096.0])
    gathered = AllReduce(32, 2 * 7168, 1)
    routed = AllReduce(32, 2 * 7168, 1, copies=8)
    assert (times.exchange(routed, tokens) <= times.exchange(gathered, tokens)).all()
    assert times.exchange(routed, tokens)[1] < 0.5 * times.exchange(gathered, tokens)[1]
    hopper = RooflineTimes(gpu("h200-sxm-141gb"))
    inside, across = AllReduce(8, 2 * 7168, 1), AllReduce(16, 2 * 7168, 1)
    assert hopper.all_reduce(across, tokens)[1] > 3 * hopper.all_reduce(inside, tokens)[1]
