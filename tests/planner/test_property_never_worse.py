"""A plan is never worse than the current plan under the same goals, however little time there is."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.clock import Clock
from planner.incumbent import Layout, is_better, layout_values, standing_layout
from planner.options import PlanOptions
from planner.plan import Stage
from planner.plan.instance import Instance
from planner.rounds import size_and_place
from planner.testing import make_candidate, make_fleet, make_instance

SHAPES = [
    {"gpus_per_group": 1, "capacity_per_s": 1.1},
    {"gpus_per_group": 2, "capacity_per_s": 2.9, "tensor_parallel_size": 2},
    {"gpus_per_group": 4, "capacity_per_s": 5.0, "tensor_parallel_size": 4},
]


@st.composite
def running(draw: st.DrawFn) -> list[Instance]:
    """Instances of those shapes at random places of pool a, no GPU given twice."""
    free = {node: list(range(6)) for node in range(3)}
    instances = []
    for number in range(draw(st.integers(0, 8))):
        size = draw(st.sampled_from([1, 2, 4]))
        node = draw(st.sampled_from([n for n in range(3) if len(free[n]) >= size] or [-1]))
        if node < 0:
            continue
        gpus = tuple(free[node][:size])
        del free[node][:size]
        instances.append(
            make_instance(
                f"chat-mixed-{number}", (Stage(f"a/r{node}/n{node}", gpus),), price_per_hour=2.0 * size
            )
        )
    return instances


@settings(max_examples=30, deadline=None)
@given(
    current=running(),
    rate=st.floats(0.5, 16.0),
    loss_of=st.sampled_from([None, "node", "rack"]),
    goals=st.permutations(["cost", "gpus", "movement"]),
    time_limit_s=st.sampled_from([None, 0.05]),
)
def test_a_plan_is_never_worse_than_the_current_one(current, rate, loss_of, goals, time_limit_s) -> None:  # type: ignore[no-untyped-def]
    fleet = make_fleet(loss_of)
    fleet = replace(
        fleet,
        workloads=(replace(fleet.workloads[0], rate_per_s=rate),),
        policies=replace(fleet.policies, shortage="serve_what_fits"),
        goals=("unserved_demand", *goals),
    )
    candidates = [make_candidate(fleet, **shape) for shape in SHAPES]
    rounds = size_and_place(fleet, candidates, current, Clock(options=PlanOptions(time_limit_s=time_limit_s)))
    standing = standing_layout(fleet, candidates, current)
    if standing is None:
        return
    assert rounds.placement is not None
    assert not rounds.placement.misplaced
    planned = Layout(tenants=rounds.tenants, stages=rounds.placement.stages)
    now = layout_values(rounds.problem, standing, current)
    assert not is_better(now, layout_values(rounds.problem, planned, current))
    # Supply is never exceeded, and no group is split.
    used = [(stage.node, gpu) for stages in planned.stages.values() for stage in stages for gpu in stage.gpus]
    assert len(set(used)) == len(used)
    for tenant in rounds.tenants:
        size = candidates[tenant.candidate].tensor_parallel_size
        assert all(len(stage.gpus) == size for stage in planned.stages[tenant.name])
