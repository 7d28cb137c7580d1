from planner.clock import Clock
from planner.explain.resharding import resharding_verdicts
from planner.fleet import read_fleet
from planner.options import PlanOptions
from planner.pipeline import plan_fleet
from planner.testing import SMALL_FLEET


def test_one_sentence_for_each_workload_and_pool_with_figures():
    fleet = read_fleet(SMALL_FLEET.replace("gpus_per_node: 6", "gpus_per_node: 2"))
    planned = plan_fleet(fleet, Clock(options=PlanOptions(verify=False)))
    found = list(resharding_verdicts(planned, Clock(options=PlanOptions())))
    pairs = {(i.workload, i.pool) for i in planned.plan.instances}
    assert len(found) == len(pairs)
    for workload, pool in pairs:
        (sentence,) = [s for s in found if s.startswith(f"{workload} on a node of {pool}, throughput only:")]
        assert "requests/s" in sentence or "fits" in sentence
