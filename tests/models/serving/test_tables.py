import numpy as np
import numpy.typing as npt
import pytest

from models.architecture import architecture
from models.hardware import gpu
from models.profiles.catalogue import known_profiles
from models.profiles.store import read_profile
from models.serving import Parallelism, StepCurves
from models.serving.curves import TOKENS
from models.serving.grids import Curve, Surface, grids_of
from models.serving.operators import AllReduce, Attention, Experts, Gemm
from models.serving.passes import PassOperators
from models.serving.roofline import RooflineTimes
from models.serving.tables import TableTimes, attention_module

H100 = str(known_profiles()["h100-sxm-80gb"])


def times(engine: str = "vllm", module: str = "") -> TableTimes:
    return TableTimes(grids_of(H100), gpu("h100"), engine, module=module)


def test_a_measured_product_is_returned_as_measured() -> None:
    table = read_profile(known_profiles()["h100-sxm-80gb"]).table("gemm")
    rows = table.where(library="tensorrt-llm-1.3.0rc20", dtype="bf16", n=4096, k=4096)
    large = rows.where(m=[1024, 2048, 4096, 8192])
    found = times("tensorrt-llm").gemm(Gemm(4096, 4096, "bf16", 1), large.numbers("m"))
    assert found * 1e3 == pytest.approx(large.value, rel=0.16)  # never above its peers by more than 15 %
    assert (found * 1e3 <= large.value * 1.0001).all()


def test_products_never_get_faster_with_more_rows() -> None:
    for precision in ("bf16", "fp8", "fp8_block"):
        for engine in ("vllm", "sglang", "tensorrt-llm"):
            found = times(engine).gemm(Gemm(5120, 5120, precision, 1), TOKENS)
            assert (np.diff(found) >= -1e-12).all()


def test_a_timing_fault_of_one_engine_is_bounded_by_its_peers() -> None:
    """vLLM's block-scaled table holds host launches of 60 to 90 µs for small products."""
    small = np.array([8.0])
    faulty = times("vllm").gemm(Gemm(4096, 7168, "fp8_block", 1), small)[0]
    others = [times(e).gemm(Gemm(4096, 7168, "fp8_block", 1), small)[0] for e in ("sglang", "tensorrt-llm")]
    assert faulty < 1.3 * max(others)


def test_a_whole_module_is_bounded_by_the_fastest_engine_unless_its_attention_is_sparse() -> None:
    """vLLM's module on GB200 was timed at up to three times TensorRT-LLM's, on B200 at the same."""
    profile, batch, context = (
        str(known_profiles()["gb200-186gb"]),
        np.array([16.0, 256.0]),
        np.full(2, 2048.0),
    )

    def decode(engine: str, model: str) -> npt.NDArray[np.float64]:
        shape, cut = architecture(model), Parallelism(tensor_parallel_size=8)
        priced = TableTimes(grids_of(profile), gpu("gb200"), engine, module=attention_module(shape))
        attention = PassOperators.of(shape, cut, weights="nvfp4", kv_cache="fp8").attention[0]
        return priced.decode_attention(attention, batch, context)

    assert (decode("vllm", "kimi-k2.5") <= 1.15 * decode("tensorrt-llm", "kimi-k2.5") * (1 + 1e-9)).all()
    ratio = decode("sglang", "glm-5") / decode("tensorrt-llm", "glm-5")
    assert ratio.max() > 1.15 or ratio.min() < 1 / 1.15


def test_unmeasured_format_holds_the_utilisation_of_bf16() -> None:
    tokens = np.array([1.0, 4096.0])
    ours, roofline = times(), RooflineTimes(gpu("h100"))
    int4, bf16 = (ours.gemm(Gemm(8192, 8192, p, 1), tokens) for p in ("int4", "bf16"))
    expected = [roofline.gemm(Gemm(8192, 8192, p, 1), tokens) for p in ("int4", "bf16")]
    assert int4 / bf16 == pytest.approx(expected[0] / expected[1])
    assert ours.basis() == "imported"


def test_experts_cut_in_a_way_nobody_measured_take_the_nearest_cut() -> None:
    shape = {
        "hidden_size": 3072,
        "expert_size": 1536,
        "top_k": 8,
        "num_experts": 256,
        "precision": "fp8_block",
    }
    ours = times()
    tokens = np.array([64.0])
    known, odd = (
        ours.experts(Experts(**shape, tensor_parallel_size=tp, expert_parallel_size=ep, count=1), tokens)[0]
        for tp, ep in ((4, 1), (6, 1))
    )
    assert 0.4 * known < odd < known
    assert ours.basis() == "imported"


def test_what_no_table_holds_is_the_datasheet_and_says_so() -> None:
    ours = times()
    strange = Experts(
        hidden_size=1000,
        expert_size=333,
        top_k=3,
        num_experts=7,
        tensor_parallel_size=1,
        expert_parallel_size=1,
        precision="bf16",
        count=2,
    )
    tokens = np.array([10.0])
    assert ours.experts(strange, tokens) == RooflineTimes(gpu("h100")).experts(strange, tokens)
    assert ours.basis() == "datasheet"
    assert "not measured" in ours.notes["experts"]


def test_attention_of_unmeasured_head_counts_keeps_the_utilisation() -> None:
    shape = {"key_dim": 128, "value_dim": 128, "kv_precision": "bf16", "count": 1}
    batch, context = np.array([64.0]), np.array([4096.0])
    known = times().decode_attention(Attention(heads=32, kv_heads=8, **shape), batch, context)
    # 28 query heads read the same cache: the time of a step that waits for memory hardly changes
    near = times().decode_attention(Attention(heads=28, kv_heads=7, **shape), batch, context)
    assert near[0, 0] == pytest.approx(known[0, 0] * 7 / 8, rel=0.1)


def test_whole_modules_leave_no_projections_to_price() -> None:
    model = architecture("deepseek-r1")
    assert attention_module(model) == "mla:deepseek-v3"
    assert attention_module(architecture("glm-5")) == "dsa:glm-5"
    assert attention_module(architecture("qwen3-32b")) == ""
    parallelism = Parallelism(tensor_parallel_size=8)
    curves = {
        engine: StepCurves.price(
            model, parallelism, times(engine, "mla:deepseek-v3"), weights="fp8_block", kv_cache="bf16"
        )
        for engine in ("vllm", "sglang")
    }
    # sglang's tables hold attention alone, so its projections are in the linear part
    assert curves["sglang"].linear_ms[0] > curves["vllm"].linear_ms[0]
    assert curves["sglang"].decode_attention_ms[0, 0] < curves["vllm"].decode_attention_ms[0, 0]


def test_all_reduce_takes_the_faster_of_the_engines_and_nccl() -> None:
    op = AllReduce(8, 8192, 1)
    tokens = np.array([1.0, 65_536.0])
    small, large = times().all_reduce(op, tokens)
    assert small < 0.02
    assert large < RooflineTimes(gpu("h100")).all_reduce(op, tokens)[1] * 1.5


def test_curves_and_surfaces_interpolate_in_logarithms_and_grow_beyond() -> None:
    curve = Curve(np.array([1.0, 100.0]), np.log([1.0, 10.0]))
    assert curve.at(np.array([0.5, 10.0, 200.0])) == pytest.approx([1.0, 10**0.5, 20.0])
    surface = Surface(np.array([1.0, 4.0]), np.array([10.0, 1000.0]), np.log([[1.0, 10.0], [4.0, 40.0]]))
    assert surface.at(np.array([2.0]), np.array([100.0, 2000.0])) == pytest.approx(
        np.array([[2 * 10**0.5, 40.0]])
    )


def test_the_better_number_format_is_kept_when_a_cut_was_not_measured() -> None:
    """TensorRT-LLM on B200 has w4a8 experts of gpt-oss for (1, 2) only: (2, 1) must not take w4a16."""
    b200 = TableTimes(grids_of(str(known_profiles()["b200-sxm-180gb"])), gpu("b200"), "tensorrt-llm")
    shape = {"hidden_size": 2880, "expert_size": 2880, "top_k": 4, "num_experts": 128, "precision": "mxfp4"}
    tokens = np.array([64.0])
    known, near = (
        b200.experts(Experts(**shape, tensor_parallel_size=tp, expert_parallel_size=ep, count=1), tokens)[0]
        for tp, ep in ((1, 2), (2, 1))
    )
    assert near < 1.3 * known


def test_a_wide_expert_group_is_no_less_balanced_than_eight_ranks() -> None:
    def op(ranks: int) -> Experts:
        return Experts(
            hidden_size=7168, expert_size=2048, top_k=8, num_experts=256, tensor_parallel_size=1,
            expert_parallel_size=ranks, precision="fp8_block", count=1,
        )  # fmt: skip

    tokens, model = np.array([4096.0, 16384.0]), RooflineTimes(gpu("h100"))
    wide, eight = times("sglang").experts(op(32), tokens), times("sglang").experts(op(8), tokens)
    # busiest rank over the datasheet's even one: the same at both widths
    assert wide / model.experts(op(32), tokens) == pytest.approx(eight / model.experts(op(8), tokens))
    assert (wide < eight).all()


def test_a_format_that_an_engine_was_timed_in_with_other_models_takes_the_time_of_other_engines() -> None:
    """vLLM's MXFP8 times experts of DeepSeek on B200 only; it calls the kernels that the others do."""
    grids, tokens = grids_of(str(known_profiles()["b200-sxm-180gb"])), np.array([4.0, 64.0])
    experts = Experts(
        hidden_size=2880, expert_size=2880, top_k=4, num_experts=128, tensor_parallel_size=1,
        expert_parallel_size=1, precision="mxfp4", count=1,
    )  # fmt: skip
    mine, *others = (
        TableTimes(grids, gpu("b200"), engine).experts(experts, tokens)
        for engine in ("vllm", "sglang", "tensorrt-llm")
    )
    assert mine == pytest.approx(np.median(others, axis=0))


@pytest.mark.parametrize("name", ["llama-3.1-8b", "qwen3-235b-a22b"])
def test_converting_the_input_of_a_quantised_product_is_part_of_its_time(name: str) -> None:
    def launches(weights: str) -> int:
        model = architecture(name)
        return PassOperators.of(model, Parallelism(), weights=weights, kv_cache="bf16").small_kernels

    assert launches("fp8") == launches("bf16")
