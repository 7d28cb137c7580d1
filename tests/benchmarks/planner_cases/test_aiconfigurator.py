import pytest

from benchmarks.planner_cases.aiconfigurator import CASES, LENGTHS, _Judge, _two
from models.serving import capacities


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_choices_fit_the_budget_and_leave_no_room_for_one_more(case):
    for parts in _Judge(case).choices():
        used = sum(tensor * count for _, tensor, count in parts)
        assert 0 < used <= case.gpus
        assert case.gpus - used < parts[-1][1]


def test_idle_gpus_count_and_the_weaker_side_decides():
    case = CASES[6]  # 16 GPUs
    rates = {"prefill": 2.0, "decode": 3.0}
    score = _Judge(case).tokens_per_s_per_gpu(_two((2, 4), (1, 2)), lambda role, tensor: rates[role])
    # ten GPUs carry min(2 × 2, 3) = 3 requests of 500 tokens; six of sixteen idle
    assert score == pytest.approx(3.0 * 500 / 16)


def test_the_analysis_and_the_simulation_agree_roughly():
    judge = _Judge(CASES[4])
    instance = judge.instances("mixed", 8)[1]
    (capacity,) = capacities([instance], LENGTHS, judge.targets)
    assert judge._most(instance) == pytest.approx(capacity.rate_per_s, rel=0.25)


def test_what_does_not_fit_carries_nothing():
    assert _Judge(CASES[4]).predicted("mixed", 1) == 0.0  # 70B in bf16 on one H100
