import pytest

from models.errors import InvalidInput
from planner.transition import capacity_by_workload, floors_between


def test_pairs_count_as_far_as_the_scarcer_phase_goes(make):
    running = [
        make("m", "n0", [0], 2.0),
        make("p", "n0", [1], 5.0, role="prefill"),
        make("d", "n0", [2], 3.0, role="decode"),
        make("c", "n0", [3], 1.0, workload="code"),
    ]
    assert capacity_by_workload(running) == {"chat": 5.0, "code": 1.0}


def test_the_floor_is_what_both_plans_serve(make):
    old, new = [make("a", "n0", [0], 4.0)], [make("b", "n0", [1], 3.0), make("c", "n0", [2], workload="code")]
    assert floors_between(old, new, 0.5) == {"chat": 1.5}
    with pytest.raises(InvalidInput, match="share of the floor"):
        floors_between(old, new, 1.5)
