"""Clients of prefill and decode instances apart, beside formulas and the open-loop simulator."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.architecture import architecture
from models.errors import InvalidInput, Unsupported
from models.hardware import gpu
from models.serving import Configuration, InstanceModel, Parallelism, Speculation, engine
from models.serving.disaggregated import simulate_clients, simulate_disaggregated


def instance(
    role: str, *, replicas: int = 1, seqs: int = 256, drafts: Speculation | None = None
) -> InstanceModel:
    return InstanceModel.of(
        Configuration(
            architecture=architecture("gpt-oss-120b"),
            gpu=gpu("h200"),
            parallelism=Parallelism(data_parallel_size=replicas, expert_parallel_size=replicas),
            engine=engine("vllm"),
            role=role,  # type: ignore[arg-type]
            weights="mxfp4",
            max_num_seqs=seqs,
            speculation=drafts,
        )
    )


PREFILL, DECODE = instance("prefill"), instance("decode")


def test_one_client_waits_for_nobody_and_agrees_with_the_open_loop() -> None:
    alone = simulate_clients(PREFILL, DECODE, [2000] * 5, [100] * 5, concurrency=1)
    far = simulate_disaggregated(PREFILL, DECODE, [2000] * 5, [100] * 5, arrivals_s=np.arange(5) * 100.0)
    # the open loop has front ends, whose tokenisation takes 1 ms for 1,000 tokens
    front = PREFILL.configuration.overheads.request_ms + 2.0
    own = far.requests.ttft_ms - front
    assert alone.prefilled_ms - alone.sent_ms == pytest.approx(own, rel=0.02)
    decoding = far.requests.end_ms - far.handed_over_ms - front
    assert alone.end_ms - alone.across_ms == pytest.approx(decoding, rel=0.02)
    width = PREFILL.configuration.architecture.kv_cache_bytes_per_token("bf16")
    crossing = 2000 * width / PREFILL.configuration.kv_transfer_bytes_per_s * 1e3
    assert alone.across_ms - alone.prefilled_ms == pytest.approx(crossing)


def test_many_clients_are_bound_by_the_prefill_and_a_second_instance_doubles_it() -> None:
    count = 800
    rates = []
    for instances in (1, 2):
        run = simulate_clients(
            PREFILL, DECODE, [4000] * count, [10] * count, concurrency=200, prefill_instances=instances
        )
        rates.append(count / float(run.end_ms.max()))
    assert rates[1] == pytest.approx(2 * rates[0], rel=0.1)


def test_replicas_of_a_prefill_share_a_step() -> None:
    """Two prompts at once on two replicas take as long as one; on one instance alone twice as long."""
    two = instance("prefill", replicas=2)
    one, both = (
        simulate_clients(two, DECODE, [8000] * n, [2] * n, concurrency=n).prefilled_ms.max() for n in (1, 2)
    )
    assert both == pytest.approx(one, rel=0.02)


def test_each_rank_of_a_prefill_fills_its_own_budget() -> None:
    """Prompts of one and a half budgets: a rank is never held up by the rest of a neighbour's."""
    two = instance("prefill", replicas=2)
    budget = two.configuration.max_num_batched_tokens
    alone, crowd = (
        simulate_clients(two, DECODE, [3 * budget // 2] * n, [2] * n, concurrency=n).prefilled_ms.max()
        for n in (2, 12)
    )
    # six prompts a rank are nine full steps; two, alone, a full step and a half one
    assert crowd < 6.2 * alone


def test_a_prompt_may_be_done_before_one_that_came_earlier() -> None:
    """The fourth of two ranks' prompts, on its own rank, waits for no longer one on the other."""
    two = instance("prefill", replicas=2)
    budget = two.configuration.max_num_batched_tokens
    run = simulate_clients(two, DECODE, [4 * budget, 64, 64, 64], [2] * 4, concurrency=4)
    assert run.prefilled_ms[1] < run.prefilled_ms[0]
    assert run.prefilled_ms[3] < run.prefilled_ms[0]
    assert (run.across_ms > run.prefilled_ms).all()


def test_seats_keep_requests_waiting_after_their_cache_is_across() -> None:
    few = instance("decode", seqs=4)
    run = simulate_clients(PREFILL, few, [500] * 80, [200] * 80, concurrency=16)
    assert np.percentile(run.admitted_ms - run.across_ms, 90) > 100.0
    free = simulate_clients(PREFILL, DECODE, [500] * 80, [200] * 80, concurrency=16)
    assert (free.admitted_ms == free.across_ms).all()


@settings(max_examples=30, deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(1, 9000), st.integers(1, 300)), min_size=1, max_size=60),
    clients=st.integers(1, 40),
    workers=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    policy=st.sampled_from(["vllm", "tensorrt-llm"]),
)
def test_no_request_is_lost_and_its_times_ascend(
    lengths: list[tuple[int, int]], clients: int, workers: tuple[int, int], policy: str
) -> None:
    inputs, outputs = zip(*lengths, strict=True)
    prefill, decode = (
        InstanceModel(
            configuration=replace(one.configuration, engine=engine(policy)),
            memory=one.memory,
            curves=one.curves,
        )
        for one in (PREFILL, DECODE)
    )
    run, again = (
        simulate_clients(
            prefill,
            decode,
            inputs,
            outputs,
            concurrency=clients,
            prefill_instances=workers[0],
            decode_instances=workers[1],
        )
        for _ in range(2)
    )
    assert (run.end_ms > 0).all()
    stages = (run.sent_ms, run.prefilled_ms, run.across_ms, run.admitted_ms, run.first_step_ms)
    for earlier, later in pairwise(stages):
        assert (earlier <= later + 1e-9).all()
    assert (run.end_ms >= run.admitted_ms - 1e-9).all()
    assert (run.end_ms == again.end_ms).all()
    # no more than the clients are ever in flight
    events = np.concatenate((run.sent_ms, run.end_ms))
    change = np.concatenate((np.ones(len(lengths)), -np.ones(len(lengths))))
    assert np.cumsum(change[np.lexsort((change, events))]).max() <= clients


def test_wrong_wishes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="a prefill and a decode instance"):
        simulate_clients(DECODE, PREFILL, [10], [10], concurrency=1)
    with pytest.raises(InvalidInput, match="at least one instance"):
        simulate_clients(PREFILL, DECODE, [10], [10], concurrency=1, decode_instances=0)
    with pytest.raises(InvalidInput, match="at least one client"):
        simulate_clients(PREFILL, DECODE, [10], [10], concurrency=0)
    with pytest.raises(InvalidInput, match="does not fit the cache"):
        simulate_clients(PREFILL, DECODE, [10**8], [10], concurrency=1)
    drafting = instance("decode", drafts=Speculation(tokens=1, acceptance=0.8))
    with pytest.raises(Unsupported, match="without drafts"):
        simulate_clients(PREFILL, drafting, [10], [10], concurrency=1)
