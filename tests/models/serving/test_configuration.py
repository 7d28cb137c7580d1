import pytest

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, engine


def configuration(**fields: object) -> Configuration:
    base = {
        "architecture": architecture("qwen3-32b"),
        "gpu": gpu("h100"),
        "parallelism": Parallelism(),
        "engine": engine("vllm"),
    }
    return Configuration(**{**base, **fields})  # type: ignore[arg-type]


def test_reads_as_a_sentence() -> None:
    assert str(configuration(parallelism=Parallelism(tensor_parallel_size=2))) == (
        "qwen3-32b bf16 on 2 × h100-sxm-80gb (TP2, mixed)"
    )


def test_impossible_cut_is_refused_with_its_reason() -> None:
    with pytest.raises(InvalidInput, match="64 attention heads do not divide by TP 3"):
        InstanceModel.of(configuration(parallelism=Parallelism(tensor_parallel_size=3)))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"max_num_seqs": 0}, "max_num_seqs must be a whole number"),
        ({"max_num_batched_tokens": 100}, "must exceed max_num_seqs"),
        ({"kv_transfer_bytes_per_s": 0.0}, "kv_transfer_bytes_per_s must be positive"),
    ],
)
def test_impossible_settings_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        configuration(**fields)


def test_equal_configurations_share_their_curves() -> None:
    a, b = InstanceModel.of(configuration()), InstanceModel.of(configuration(role="decode"))
    assert a.curves is b.curves
    assert hash(configuration()) == hash(configuration())
