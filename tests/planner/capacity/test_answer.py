"""Capacity questions on the packaged profiles."""

from __future__ import annotations

import re

import pytest

from models.errors import InvalidInput
from planner.capacity import Question, answer
from planner.capacity.question import fixed_lengths

LENGTHS = fixed_lengths(1000, 100)


def question(**changes: object) -> Question:
    known: dict[str, object] = {
        "model": "llama-3.1-8b", "gpus": ("h100",), "workload": {"lengths": LENGTHS, "rate": "20/s"},
        "slo": {"ttft_p95": "1s", "tpot_p95": "30ms"},
    }  # fmt: skip
    return Question(**{**known, **changes})  # type: ignore[arg-type]


def test_rate_and_gpus_agree() -> None:
    """What serves 20/s on n GPUs is not beaten on n - 1, and n GPUs serve at least 20/s."""
    needed = answer(question()).by_gpu[0]
    best = needed.best
    assert best is not None
    assert best.capacity_per_s >= 20
    assert best.ttft_ms <= 1000
    assert best.tpot_ms <= 30
    on_as_many = answer(question(workload={"lengths": LENGTHS}, most_gpus=best.gpus)).by_gpu[0].best
    assert on_as_many is not None
    assert on_as_many.capacity_per_s >= 20
    if best.gpus > 1:
        short = answer(question(most_gpus=best.gpus - 1))
        assert not short.feasible
        assert f"need {best.gpus} ×" in short.by_gpu[0].reason
        assert f"{best.gpus} GPUs" in short.by_gpu[0].closest


def test_headroom_is_served() -> None:
    found = answer(question(headroom=0.5)).by_gpu[0]
    assert found.demand_per_s == pytest.approx(30)
    assert found.best is not None
    assert found.best.capacity_per_s >= 30


def test_prices_decide_between_types() -> None:
    dear = {"h100": 100.0, "h200": 1.0}
    assert answer(question(gpus=("h100", "h200"), price_per_gpu_hour=dear)).by_gpu[0].gpu == "h200-sxm-141gb"
    cheap = {"h100": 1.0, "h200": 100.0}
    assert answer(question(gpus=("h100", "h200"), price_per_gpu_hour=cheap)).by_gpu[0].gpu == "h100-sxm-80gb"


def test_a_target_below_physics_names_what_would_work() -> None:
    found = answer(question(slo={"ttft_p95": "1s", "tpot_p95": "0.5ms"}))
    assert not found.feasible
    assert "its TPOT target p95 ≤ 0.50 ms is below" in found.by_gpu[0].reason
    assert found.by_gpu[0].closest.startswith("TPOT p95 ≤ ")


def test_too_few_gpus_offer_the_best_targets_they_can_keep() -> None:
    """The offered target carries the rate on those GPUs; a 1 % tighter one does not."""
    targets = {"ttft_p95": "1s", "tpot_p95": "12ms"}
    most = answer(question(workload={"lengths": LENGTHS}, most_gpus=1, slo=targets)).by_gpu[0].best
    assert most is not None
    load = {"lengths": LENGTHS, "rate": f"{1.2 * most.capacity_per_s}/s"}
    found = answer(question(workload=load, most_gpus=1, slo=targets)).by_gpu[0]
    assert not found.ways
    (offered,) = [
        m for o in found.offers if (m := re.fullmatch(r"--tpot-p95 ([0-9.]+)ms", o.flags)) is not None
    ]
    for factor, works in ((1.0, True), (0.99, False)):
        slower = {**targets, "tpot_p95": f"{float(offered[1]) * factor}ms"}
        assert answer(question(workload=load, most_gpus=1, slo=slower)).feasible == works


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"workload": {"lengths": LENGTHS}}, "give the load"),
        ({"gpus": ()}, "at least one GPU type"),
        ({"gpus": ("h10",)}, "did you mean 'h100"),
        ({"model": "llama-3.1-8"}, "did you mean 'llama-3.1-8b'"),
        ({"slo": {"ttft_p95": "1s"}}, "exactly one tpot target"),
        ({"slo": {"ttft_p95": "1", "tpot_p95": "30ms"}}, "needs one of the units"),
        ({"most_gpus": 0}, "at least one GPU"),
        ({"price_per_gpu_hour": {"h200": 1.0}}, "none of h100"),
        ({"workload": {"lengths": LENGTHS, "rate": "-1/s"}}, "above zero"),
    ],
)
def test_wrong_questions(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput) as error:
        answer(question(**changes))
    assert message in str(error.value)
