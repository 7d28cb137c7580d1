import pytest

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, engine
from models.serving.estimate import estimate


def instance() -> InstanceModel:
    return InstanceModel.of(
        Configuration(
            architecture=architecture("llama-3.1-8b"),
            gpu=gpu("h100"),
            parallelism=Parallelism(),
            engine=engine("vllm"),
        )
    )


def test_closed_loop_obeys_littles_law_and_has_intervals() -> None:
    found = estimate(instance(), input_tokens=500, output_tokens=100, concurrency=16)
    assert found.requests_per_s * found.latency.mean / 1e3 == pytest.approx(16, rel=0.05)
    assert found.output_tokens_per_s_per_gpu == pytest.approx(found.requests_per_s * 100)
    assert found.tpot is not None
    for latency in (found.ttft, found.tpot):
        assert latency.low < latency.mean < latency.high
        assert latency.p50 <= latency.p95 <= latency.p99
    assert found.basis == "imported"


def test_an_open_loop_serves_what_arrives() -> None:
    found = estimate(instance(), input_tokens=500, output_tokens=100, rate_per_s=4.0)
    assert found.requests_per_s == pytest.approx(4.0, rel=0.05)
    assert found == estimate(instance(), input_tokens=500, output_tokens=100, rate_per_s=4.0)


def test_one_token_has_no_tpot() -> None:
    assert estimate(instance(), input_tokens=500, output_tokens=1, concurrency=2).tpot is None


@pytest.mark.parametrize("load", [{}, {"concurrency": 1, "rate_per_s": 1.0}, {"rate_per_s": float("nan")}])
def test_exactly_one_load_is_given(load: dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match=r"one of the two|must be positive"):
        estimate(instance(), input_tokens=10, output_tokens=10, **load)  # type: ignore[arg-type]
