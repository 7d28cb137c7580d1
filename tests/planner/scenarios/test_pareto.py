import pytest

from models.errors import InvalidInput
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.scenarios.pareto import frontier, tightened_fleet
from planner.testing import SMALL_FLEET, make_fleet

OPTIONS = PlanOptions(verify=False)


def test_tighter_latencies_are_kept_and_never_cheaper(executor):
    fleet = read_fleet(SMALL_FLEET.replace("10/s", "300/s").replace("40ms", "12ms"))
    points = frontier(fleet, [1.0, 0.7, 0.01], OPTIONS, executor)
    assert [p.share for p in points] == [1.0, 0.7, 0.01][: len(points)]
    served = [p for p in points if p.plan.instances]
    costs = [p.plan.cost_per_hour for p in served]
    assert costs == sorted(costs)
    for point in served:
        for outcome, workload in zip(point.plan.workloads, fleet.workloads, strict=True):
            assert outcome.tpot_ms <= workload.tpot.limit_ms * point.share * (1 + 1e-6)
            assert outcome.ttft_ms <= workload.ttft.limit_ms * point.share * (1 + 1e-6)
    assert not points[-1].plan.instances  # 0.12 ms a token cannot be
    assert not points[-1].efficient
    efficient = [p.plan.cost_per_hour for p in served if p.efficient]
    assert len(set(efficient)) == len(efficient) >= 1
    assert points[0].as_dict()["headroom"] == 0.0


def test_every_target_is_tightened():
    fleet = tightened_fleet(make_fleet(), 0.5)
    assert {(w.ttft.limit_ms, w.tpot.limit_ms) for w in fleet.workloads} == {(500.0, 20.0)}


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_shares_that_cannot_be(share, executor):
    with pytest.raises(InvalidInput, match="a share of the targets"):
        frontier(make_fleet(), [share], OPTIONS, executor)
