import pytest

from models.architecture import architecture
from models.errors import InvalidInput
from models.serving import Parallelism, parallelisms


def test_gpus_and_expert_pieces() -> None:
    p = Parallelism(
        tensor_parallel_size=2, pipeline_parallel_size=3, data_parallel_size=4, expert_parallel_size=4
    )
    assert (p.gpus, p.stage_gpus, p.expert_tensor_parallel_size) == (24, 8, 2)
    assert str(p) == "TP2·PP3·DP4·EP4"


@pytest.mark.parametrize(
    ("name", "degrees", "weights", "problem"),
    [
        ("qwen3-32b", {"tensor_parallel_size": 3}, "bf16", "64 attention heads do not divide by TP 3"),
        ("llama-3.1-8b", {"pipeline_parallel_size": 33}, "bf16", "33 pipeline stages for 32 layers"),
        ("llama-3.1-8b", {"tensor_parallel_size": 2, "expert_parallel_size": 2}, "bf16", "without experts"),
        # block-quantised weights are cut at whole blocks: 14336 / 32 = 448 is no multiple of 128
        ("llama-3.1-8b", {"tensor_parallel_size": 32}, "fp8_block", "14336 does not divide by TP 32"),
        ("qwen3.5-397b-a17b", {"tensor_parallel_size": 32}, "bf16", "16 key heads do not divide by TP 32"),
    ],
)
def test_impossible_cuts_say_why(name: str, degrees: dict[str, int], weights: str, problem: str) -> None:
    problems = Parallelism(**degrees).problems(architecture(name), weights)
    assert any(problem in p for p in problems)


def test_key_value_heads_may_be_fewer_than_gpus() -> None:
    assert Parallelism(tensor_parallel_size=16).problems(architecture("llama-3.1-70b")) == ()


def test_stages_may_be_uneven() -> None:
    assert Parallelism(pipeline_parallel_size=3).stage_layers(architecture("llama-3.1-8b")) == 11


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_degrees_are_whole_numbers(value: object) -> None:
    with pytest.raises(InvalidInput, match="tensor_parallel_size must be a whole number"):
        Parallelism(tensor_parallel_size=value)  # type: ignore[arg-type]


def test_experts_are_dealt_evenly_to_gpus() -> None:
    with pytest.raises(InvalidInput, match="must divide tensor × data"):
        Parallelism(tensor_parallel_size=4, expert_parallel_size=3)


def test_enumeration_is_valid_sorted_and_without_repeats() -> None:
    found = list(parallelisms(architecture("mixtral-8x7b"), tensor=(1, 2, 8, 64), expert=(1, 2)))
    sizes = [p.gpus for p in found]
    assert sizes == sorted(sizes)
    assert len(set(found)) == len(found)
    assert Parallelism(tensor_parallel_size=2, expert_parallel_size=2) in found
    assert all(p.tensor_parallel_size < 64 for p in found)  # 32 heads
