import pytest

from models.architecture import architecture
from models.hardware import gpu
from planner.resharding import AllReduceBandwidth, PhaseRoofline, RequestClass
from planner.split.ratio import matched_ratio

REQUEST = RequestClass(4000, 300)


@pytest.fixture(scope="module")
def model():
    return PhaseRoofline(
        architecture=architecture("llama-3.1-70b"),
        gpu=gpu("h100-sxm-80gb"),
        all_reduce=AllReduceBandwidth(bytes_per_s={2: 250e9, 4: 210e9, 8: 200e9}, latency_s=1e-5),
    )


def test_a_looser_token_target_never_lowers_the_rate_and_moves_gpus_to_prefill(model):
    found = [matched_ratio(model, REQUEST, ttft_s=3, tpot_s=t) for t in (0.015, 0.02, 0.03, 0.05, 0.1)]
    rates, ratios = [f.rate_per_gpu for f in found], [f.prefill_per_decode_gpu for f in found]
    assert rates == sorted(rates)
    assert ratios == sorted(ratios)
    assert ratios[-1] > 1.5 * ratios[0]


def test_the_targets_hold_and_the_rates_match(model):
    found = matched_ratio(model, REQUEST, ttft_s=2, tpot_s=0.03)
    assert found.token_s <= 0.03 * (1 + 1e-9)
    prefill_rate = 1 / (model.prefill_s(found.prefill, REQUEST) * found.prefill.gpus)
    decode_rate = found.batch / (found.token_s * 300) / found.decode.gpus
    assert found.prefill_per_decode_gpu * prefill_rate == pytest.approx(decode_rate)


def test_an_impossible_target_has_no_ratio(model):
    assert matched_ratio(model, REQUEST, ttft_s=2, tpot_s=1e-4) is None
    assert matched_ratio(model, REQUEST, ttft_s=1e-4, tpot_s=0.1) is None
