import pytest

from models.errors import InvalidInput, UnknownName
from planner.scenarios.change import apply_changes, parse_changes
from planner.testing import make_fleet

FLEET = make_fleet()


def changed(**options):
    return apply_changes(FLEET, parse_changes(**options))


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("chat=+30%", (13.0, 4.0)), ("chat=-50%", (5.0, 4.0)), ("code=x2.5", (10.0, 10.0)),
        ("all=+10%", (11.0, 4.4)), ("chat=120/min", (2.0, 4.0)),
    ],
)  # fmt: skip
def test_demand(text, rates):
    fleet = changed(demand=[text])
    assert tuple(w.rate_per_s for w in fleet.workloads) == pytest.approx(rates)
    assert fleet.digest != FLEET.digest


def test_pools():
    assert [p.name for p in changed(remove_pool=["a"]).pools] == ["b"]
    assert [p.gpu.name for p in changed(swap=["a=b200"]).pools][1] == FLEET.pools[1].gpu.name
    assert {p.gpu.name for p in changed(swap=["h100=h200"]).pools} == {"h200-sxm-141gb"}
    assert [p.nodes for p in changed(nodes=["a=+2", "b=1"]).pools] == [5, 1]
    assert changed(nodes=["a=1"]).pools[0].racks == 1
    assert changed(price=["b=9.5"]).pools[1].price_per_gpu_hour == 9.5


def test_changes_are_applied_in_turn_and_have_one_digest():
    both = changed(demand=["chat=x2", "chat=+50%"])
    assert both.workload("chat").rate_per_s == pytest.approx(30.0)
    assert both.digest == changed(demand=["chat=x2", "chat=+50%"]).digest


@pytest.mark.parametrize(
    "options",
    [
        {"demand": ["chat"]}, {"demand": ["chat=soon"]}, {"demand": ["chat=-100%"]}, {"nodes": ["a=many"]},
        {"nodes": ["a=-3"]}, {"price": ["a=cheap"]}, {"remove_pool": ["a", "b"]},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(options):
    with pytest.raises(InvalidInput):
        changed(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"demand": ["chta=x2"]}, {"remove_pool": ["c"]}, {"swap": ["a=h999"]}, {"swap": ["l40s=h100"]},
        {"nodes": ["c=1"]}, {"price": ["c=1"]},
    ],
)  # fmt: skip
def test_unknown_names_are_told(options):
    with pytest.raises(UnknownName):
        changed(**options)
