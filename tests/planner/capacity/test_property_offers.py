"""Every question that has no answer gets offers, and every offer is a question that has one."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from planner.capacity import Question, answer
from planner.capacity.question import fixed_lengths


@st.composite
def questions(draw: st.DrawFn) -> Question:
    lengths = fixed_lengths(draw(st.sampled_from([64, 1000, 6000])), draw(st.sampled_from([1, 100, 800])))
    rate = draw(st.sampled_from([None, "0.5/s", "20/s", "400/s"]))
    workload = {"lengths": lengths} | ({} if rate is None else {"rate": rate})
    percentile = draw(st.sampled_from(["p50", "p95", "p99"]))
    return Question(
        model=draw(st.sampled_from(["llama-3.1-8b", "qwen3-32b", "llama-3.1-70b"])),
        gpus=(draw(st.sampled_from(["h100", "a100", "h200"])),),
        workload=workload,
        slo={
            f"ttft_{percentile}": draw(st.sampled_from(["1us", "20ms", "300ms", "2s"])),
            f"tpot_{percentile}": draw(st.sampled_from(["1us", "2ms", "12ms", "60ms"])),
        },
        most_gpus=draw(st.sampled_from([None, 1, 3, 16, 100] if rate else [1, 3, 16, 100])),
        headroom=draw(st.sampled_from([0.0, 0.3])),
    )


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions())
def test_an_infeasible_question_is_offered_feasible_ones(question: Question) -> None:
    found = answer(question).by_gpu[0]
    event("feasible" if found.ways else "infeasible")
    if found.ways:
        assert not found.offers
        return
    assert found.reason
    assert found.offers, found.closest
    for offer in found.offers:
        assert offer.flags in found.closest
        assert answer(offer.question).feasible
        assert answer(typed(question, offer.flags)).feasible, offer.flags


def typed(question: Question, flags: str) -> Question:
    """The question with flags as a user types them: the question behind an offer, made from its words."""
    words = shlex.split(flags)
    assert len(words) % 2 == 0
    changed: dict[str, Any] = {}
    slo, workload = dict(question.slo), dict(question.workload)
    for flag, value in zip(words[::2], words[1::2], strict=True):
        name = flag.removeprefix("--").replace("-", "_")
        if name in slo:
            slo[name] = value
        elif name == "rate":
            workload["rate"] = value
        elif name == "gpu":
            changed["gpus"] = (value,)
        elif name in ("max_gpus", "gpus_per_node"):
            changed["most_gpus" if name == "max_gpus" else name] = int(value)
        else:
            assert name in ("weights", "kv_cache")
            changed[name] = value
    known = {name: getattr(question, name) for name in question.__dataclass_fields__}
    return Question(**{**known, "slo": slo, "workload": workload, **changed})
