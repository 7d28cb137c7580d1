import pytest

from models.architecture import architecture
from models.errors import InvalidInput
from models.hardware import gpu
from models.serving.bounds import EFFECTIVE_A100_FLOPS, classify, optimal_tokens_per_s


@pytest.mark.parametrize(
    ("billions", "published", "read_to"),
    [  # NanoFlow's figures; parameters are known to a tenth of a billion, one figure was read off a plot
        (70.0, 1857.0, 0.5),
        (70.6, 1850.0, 10.0),
        (72.2, 1800.0, 0.5),
        (67.0, 1941.0, 0.5),
        (8.0, 16250.0, 0.5),
        (12.6, 10294.0, 0.5),
    ],
)
def test_optimal_throughputs_of_nanoflow(billions: float, published: float, read_to: float) -> None:
    least, most = (
        optimal_tokens_per_s((billions + off) * 1e9, EFFECTIVE_A100_FLOPS) for off in (0.05, -0.05)
    )
    assert least - read_to <= published <= most + read_to


def test_70b_on_eight_a100_is_bound_by_compute() -> None:
    found = classify(
        architecture("llama-2-70b"),
        gpu("a100-sxm-80gb"),
        gpus=8,
        batch_tokens=2048,
        flops=EFFECTIVE_A100_FLOPS,
    )
    assert found.bound == "compute"
    # the paper's estimates for a whole step: dense products 112 ms (without head), network 31.33 ms
    assert found.network_ms == pytest.approx(31.33, rel=1e-3)
    small = classify(architecture("llama-2-70b"), gpu("a100-sxm-80gb"), gpus=8, batch_tokens=64)
    assert small.bound == "memory"


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="must be positive"):
        optimal_tokens_per_s(0.0, 1.0)
    with pytest.raises(InvalidInput, match="at least one GPU"):
        classify(architecture("llama-3.1-8b"), gpu("h100"), gpus=0, batch_tokens=1)
