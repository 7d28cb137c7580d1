import pytest

from models.errors import InvalidInput
from planner.transition import gantt, plan_transition

NODES = {"a": {"n0": 4, "n1": 4}}


def test_a_move_as_a_picture(make, times):
    plan = plan_transition([make("x", "n0", [0])], [make("x", "n1", [0])], nodes=NODES, times=times)
    assert gantt(plan, width=33).splitlines() == [
        "+x  ▒▒▒▒▒▒▒▒▒▒▒█",
        "-x" + " " * 14 + "░" * 21 + "│",
        "    0                            33 s",
    ]


def test_what_cannot_be_drawn_is_said(make, times):
    same = [make("x", "n0", [0])]
    assert gantt(plan_transition(same, same, nodes=NODES, times=times)) == "nothing changes\n"
    stuck = plan_transition(same, [make("y", "n0", [0])], nodes={"a": {"n0": 1}}, times=times)
    assert gantt(stuck).startswith("blocked: x, whose GPUs y wait for, cannot stop")
    with pytest.raises(InvalidInput, match="at least 10 columns"):
        gantt(stuck, width=5)
