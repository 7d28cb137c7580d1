import math

import pytest

from models.architecture import architecture
from models.hardware import gpu
from planner.resharding import HostBuffer, Layout, RequestClass, compare
from planner.resharding.engine_phases import EnginePhases

REQUEST = RequestClass(1000, 200)


def phases(model="llama-3.1-8b", kind="h100-sxm-80gb", weights="bf16"):
    return EnginePhases(
        architecture=architecture(model), gpu=gpu(kind), engine="vllm", weights=weights, kv_cache="bf16"
    )


def test_replicas_share_the_work():
    model = phases()
    for cost in (model.prefill_s, model.decode_s, model.mixed_s):
        assert cost(Layout(2, 1, 1), REQUEST) == pytest.approx(cost(Layout(1, 1, 1), REQUEST) / 2)


def test_both_phases_together_are_no_cheaper_than_the_dearer_one():
    model, layout = phases(), Layout(1, 2, 1)
    apart = model.prefill_s(layout, REQUEST), model.decode_s(layout, REQUEST)
    assert model.mixed_s(layout, REQUEST) >= max(apart)


def test_a_model_that_does_not_fit_has_no_room_and_no_end():
    model, one = phases("llama-3.1-70b", weights="bf16"), Layout(1, 1, 1)
    assert model.room_tokens(one) <= 0
    assert math.isinf(model.mixed_s(one, REQUEST))


def test_the_verdict_is_never_slower_than_the_best_fixed_layout():
    model = phases()
    found = compare(model, 2, REQUEST, HostBuffer(bytes_per_gpu=32e9, bandwidth_bytes_per_s=25e9))
    fixed = max(1 / model.mixed_s(layout, REQUEST) for layout in model.layouts(2))
    assert found.rate_per_s >= fixed * (1 - 1e-9)
    assert found.choice == "switching" or "does not pay" in found.reason
