import dataclasses

import pytest

from models.architecture import architecture
from models.errors import InvalidInput, Unsupported
from planner.resharding import AllReduceBandwidth, Layout, PhaseRoofline, RequestClass

REQUEST = RequestClass(2000, 200)


def test_room_is_what_the_weights_leave(llama):
    weights = llama.architecture.weight_bytes("bf16")
    per_token = 2 * 80 * 8 * 128 * 2
    expected = (8 * 24 * 2**30 * 0.9 - weights) / per_token
    assert llama.room_tokens(Layout(1, 4, 2)) == pytest.approx(expected)
    assert llama.room_tokens(Layout(2, 4, 1)) < 0  # two copies of 138 GB do not fit in 192 GiB


def test_prefill_of_a_pure_pipeline_is_arithmetic(llama):
    ideal = dataclasses.replace(llama, overlap=1.0, prefill_batch_tokens=1.0)
    parts = ideal.architecture.parts
    linear = 2 * 2000 * (parts["attention"] + parts["dense_feed_forward"])
    attention = 80 * 2 * 2000**2 * 64 * 128
    assert ideal.prefill_s(Layout(1, 1, 8), REQUEST) * 8 == pytest.approx(
        (linear + attention) / (125e12 * 0.5)
    )


def test_decode_follows_equation_one(llama):
    ideal = dataclasses.replace(llama, overlap=1.0)
    layout = Layout(1, 4, 2)
    batch = ideal.batch(layout, REQUEST)
    parts = ideal.architecture.parts
    layer = (parts["attention"] + parts["dense_feed_forward"]) / 80
    memory = 600 * 2**30 * 0.8
    cache = batch * REQUEST.mean_context * 2 * 8 * 128 * 2
    bracket = 2 * layer / memory / 4 + cache / memory / 8 + 2 * 2 * 8192 * batch / 8e9 / 2
    assert ideal.decode_s(layout, REQUEST) == pytest.approx(200 * 80 / batch * bracket)


def test_a_pipeline_with_fewer_requests_than_stages_idles(llama):
    long = RequestClass(40_000, 200)  # room for fewer than four
    layout = Layout(1, 1, 8)
    batch = llama.batch(layout, long)
    assert 1 < batch < 4
    stage = llama._stage_s(layout, 1.0, llama._decoding(long, 1.0))
    assert llama.decode_s(layout, long) == pytest.approx(200 * stage * 8 / batch)


def test_slower_all_reduce_never_helps(llama):
    slow = dataclasses.replace(llama, all_reduce=llama.all_reduce.scaled(0.5))
    for layout in llama.layouts(8):
        if llama.room_tokens(layout) > 0:
            for phase in ("prefill_s", "decode_s", "mixed_s"):
                assert getattr(slow, phase)(layout, REQUEST) >= getattr(llama, phase)(layout, REQUEST)


def test_without_overlap_everything_takes_longer_and_mixing_gains_little(llama):
    layout = Layout(1, 4, 2)
    perfect, none = (dataclasses.replace(llama, overlap=v) for v in (1.0, 0.0))

    def gain(model):
        alternating = model.prefill_s(layout, REQUEST) + model.decode_s(layout, REQUEST)
        return alternating / model.mixed_s(layout, REQUEST)

    assert none.mixed_s(layout, REQUEST) > perfect.mixed_s(layout, REQUEST)
    assert gain(perfect) > gain(none)
    assert gain(none) < 1.1


def test_what_it_cannot_describe_is_refused():
    with pytest.raises(Unsupported, match="not a dense model"):
        PhaseRoofline(
            architecture=architecture("mixtral-8x7b"),
            gpu=None,
            all_reduce=AllReduceBandwidth(bytes_per_s={}),
        )


@pytest.mark.parametrize("field", ["compute_share", "memory_fraction", "overlap"])
def test_shares_are_shares(llama, field):
    with pytest.raises(InvalidInput, match=field):
        dataclasses.replace(llama, **{field: 1.5})
