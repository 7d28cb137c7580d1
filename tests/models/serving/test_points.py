"""Operator times from our own points: right where measured, refused or noted where not, never silent."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.errors import Unsupported
from models.profiles.catalogue import PACKAGED, known_profiles
from models.profiles.device import measured_gpu
from models.profiles.store import Profile, read_profile
from models.serving.engine import engine_names
from models.serving.operators import AllReduce, Attention, Gemm, LinearAttention
from models.serving.points import PointTimes, own_library
from models.serving.roofline import RooflineTimes

Make = Callable[..., Profile]
GQA = Attention(
    heads=4, kv_heads=2, key_dim=64, value_dim=64, kv_precision="bf16", count=3,
    prefill_key_dim=64, prefill_value_dim=64,
)  # fmt: skip
TOKENS = np.array([1.0, 3.0, 100.0, 512.0, 4096.0])


def times(profile: Profile) -> PointTimes:
    return PointTimes(profile, measured_gpu(profile, profile.manifest.name), "numpy-2.0", "vllm")


def product_us(m: np.ndarray, n: float, k: float) -> np.ndarray:
    """The formula of the fixture, with fp32 operands and results."""
    return 5.0 + 2 * m * n * k * 1e-7 + 4 * (n * k + m * k + m * n) * 1e-5


def test_products_follow_the_points_and_hold_utilisation_beyond(formula_profile: Make) -> None:
    ours = times(formula_profile())
    found = ours.gemm(Gemm(2048, 512, "bf16", 7), TOKENS)
    assert found * 1e3 == pytest.approx(7 * product_us(TOKENS, 2048, 512), rel=1e-3)
    assert ours.basis() == "measured"
    said = " ".join(ours.remarks())
    assert "asked in bf16 are those measured in fp32, unscaled" in said
    assert "beyond m = 512" in said
    assert "kernels of numpy-2.0 stand for those of vllm" in said


def test_attention_follows_the_points(formula_profile: Make) -> None:
    ours = times(formula_profile())
    batch, context = np.array([1.0, 8.0]), np.array([16.0, 256.0, 1024.0])
    b, c = batch[:, None], context[None, :]
    traffic = 4 * (b * c * 2 * 128 + b * 4 * 128)
    expected = 5.0 + 2 * b * 4 * c * 128 * 1e-7 + traffic * 1e-5
    assert ours.decode_attention(GQA, batch, context) * 1e3 == pytest.approx(3 * expected, rel=1e-3)
    prompt = np.array([16.0, 100.0])
    assert (np.diff(ours.prefill_attention(GQA, prompt)) > 0).all()
    assert ours.basis() == "measured"


def test_formats_that_were_not_measured_are_refused(formula_profile: Make) -> None:
    cpu = times(formula_profile())
    with pytest.raises(Unsupported, match="products in fp32, none in fp8"):
        cpu.gemm(Gemm(256, 256, "fp8", 1), TOKENS)
    cached = Attention(heads=4, kv_heads=2, key_dim=64, value_dim=64, kv_precision="fp8", count=1)
    with pytest.raises(Unsupported, match="decode attention in fp32, none in bf16/fp8"):
        cpu.decode_attention(cached, TOKENS, TOKENS)
    card = times(formula_profile("card", kind="cuda"))  # fp32 stands for 16 bit on a CPU only
    with pytest.raises(Unsupported, match="none in bf16"):
        card.gemm(Gemm(256, 256, "bf16", 1), TOKENS)


def test_16_bit_rows_are_taken_as_they_are(formula_profile: Make) -> None:
    ours = times(formula_profile(dtype="bf16"))
    ours.gemm(Gemm(256, 256, "bf16", 1), np.array([8.0]))
    assert not any("fp32" in said for said in ours.remarks())


def test_what_has_no_points_is_the_device_and_says_so(formula_profile: Make) -> None:
    profile = formula_profile(without=("attention_decode",))
    ours = times(profile)
    model = RooflineTimes(ours.gpu)
    found = ours.decode_attention(GQA, TOKENS, TOKENS)
    assert found == pytest.approx(model.decode_attention(GQA, TOKENS, TOKENS))
    assert ours.basis() == "datasheet"
    assert any("decode attention: not measured" in said for said in ours.remarks())
    for ask in (
        lambda t: t.all_reduce(AllReduce(2, 512, 1), TOKENS),
        lambda t: t.exchange(AllReduce(2, 512, 1), TOKENS),
        lambda t: t.gemm(Gemm(10**6, 256, "bf16", 1), TOKENS),  # 256 times the widest measured
        lambda t: t.linear_attention(
            LinearAttention(key_heads=1, value_heads=1, key_dim=8, value_dim=8, conv_kernel=4, count=1),
            TOKENS,
            decode=False,
        ),
    ):
        fresh = times(profile)
        ask(fresh)
        assert fresh.basis() == "datasheet"


def test_two_points_are_no_surface(formula_profile: Make) -> None:
    profile = formula_profile()
    few = profile.table("gemm").take(np.array([0, 1], dtype=np.int64))
    profile._tables["gemm"] = few
    ours = times(profile)
    ours.gemm(Gemm(256, 256, "bf16", 1), TOKENS)
    assert ours.basis() == "datasheet"
    assert any("only 2 points" in said for said in ours.remarks())


def test_the_engines_own_tables_come_first(formula_profile: Make) -> None:
    assert own_library(formula_profile("a"), "vllm") == "numpy-2.0"
    assert own_library(formula_profile("b", library="vllm-0.24.0"), "vllm") is None
    assert own_library(formula_profile("c", library="vllm-0.24.0"), "sglang") is None
    assert own_library(formula_profile("d", without=("gemm",)), "vllm") is None
    assert own_library(formula_profile("e", basis="imported"), "vllm") is None


@pytest.mark.parametrize("name", [n for n, f in known_profiles().items() if f.parent == PACKAGED])
def test_packaged_tables_are_never_taken_for_ours(name: str) -> None:
    profile = read_profile(PACKAGED / name)
    if profile.manifest.tables["gemm"].basis == "imported":
        assert [own_library(profile, engine) for engine in engine_names()] == [None] * len(engine_names())


def test_tables_of_the_same_gpu_stand_in_operator_by_operator(formula_profile: Make) -> None:
    """An own profile hides the one that ships, but only for what it holds."""
    from models.serving.grids import grids_of
    from models.serving.tables import TableTimes

    profile = formula_profile("mine", kind="cuda", gpu="h200-sxm-141gb", dtype="bf16", library="torch-2.11")
    card = measured_gpu(profile, "mine")
    shipped = TableTimes(grids_of(str(PACKAGED / "h200-sxm-141gb")), card, "vllm")
    ours = PointTimes(profile, card, "torch-2.11", "vllm", tables=shipped)
    own = Gemm(1024, 1024, "bf16", 2)

    alone = PointTimes(profile, card, "torch-2.11", "vllm")
    assert ours.gemm(own, TOKENS) == pytest.approx(alone.gemm(own, TOKENS))
    assert ours.basis() == "measured"
    for ask in (
        lambda t: t.gemm(Gemm(1024, 1024, "fp8", 2), TOKENS),
        lambda t: t.decode_attention(replace(GQA, kv_precision="fp8", key_dim=128), TOKENS, TOKENS),
        lambda t: t.all_reduce(AllReduce(8, 8192, 3), TOKENS),
        lambda t: t.exchange(AllReduce(8, 8192, 3), TOKENS),
    ):
        assert ask(ours) == pytest.approx(ask(shipped))
    assert ours.basis() == "imported"
    said = " ".join(ours.remarks())
    assert "products: measured in bf16, not in fp8; profile h200-sxm-141gb (vllm) was used" in said
    assert "which is imported" in said
    assert "all_reduce of 8 GPUs: not measured; profile h200-sxm-141gb (vllm) was used" in said


def test_a_plans_model_takes_the_shipped_tables_beside_its_own(
    formula_profile: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from models.architecture import architecture
    from models.profiles.device import find_gpu
    from models.serving import Configuration, InstanceModel, Parallelism, engine

    formula_profile("mine", kind="cuda", gpu="h200-sxm-141gb", dtype="bf16", library="torch-2.11")
    monkeypatch.setenv("FULCRUM_PROFILES", str(tmp_path / "profiles"))
    fp8 = InstanceModel.of(
        Configuration(
            architecture=architecture("llama-3.1-8b"), gpu=find_gpu("mine"), engine=engine("vllm"),
            parallelism=Parallelism(), kv_cache="fp8", weights="fp8",
        )
    )  # fmt: skip

    assert fp8.curves.basis == "imported"
    assert any("products: measured in bf16, not in fp8" in said for said in fp8.curves.remarks)
