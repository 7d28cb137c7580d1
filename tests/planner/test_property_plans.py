"""Random small fleets through the whole planner: what no plan and no way between two plans may ever do."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.fleet import Fleet, read_fleet
from planner.options import PlanOptions
from planner.pipeline import create_plan
from planner.plan import Plan
from planner.plan.check import violations
from planner.plan.schedule import Schedule
from planner.topology.flows import Placed, cache_bytes, link_loads
from planner.transition import replay

LENGTHS = {"levels": [0, 1], "input_tokens": [200, 2400], "output_tokens": [20, 200]}


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Any]:
    """Two pools of eight GPUs at most, two workloads; links, regions, shares, losses, periods at random."""
    share = draw(st.none() | st.just({"parts": 2, "slowdown": 1.5}))
    network = draw(
        st.none()
        | st.builds(
            lambda node, rack: {"node": {"bandwidth": f"{node}GB/s"}, "rack": {"bandwidth": f"{rack}GB/s"}},
            st.sampled_from([8, 40]),
            st.sampled_from([2, 60]),
        )
    )
    first = {
        "name": "a", "gpu": "h100-sxm-80gb", "nodes": draw(st.integers(1, 2)), "gpus_per_node": 4,
        "price_per_gpu_hour": 2.0, "zone": "east", "network": network,
    }  # fmt: skip
    second = {
        "name": "b", "gpu": "h200-sxm-141gb", "nodes": 2, "gpus_per_node": 2, "price_per_gpu_hour": 3.0,
        "zone": draw(st.sampled_from(["east", "west"])), "share": share,
    }  # fmt: skip
    first["racks"] = first["nodes"]
    if first["nodes"] == 2 and draw(st.booleans()):
        first["unavailable"] = [draw(st.integers(0, 1))]
    regional = draw(st.booleans()) and second["zone"] == "west"
    slo = {"ttft_p95": "1s", "tpot_p95": "40ms"}
    chat = {
        "name": "chat",
        "model": "m",
        "lengths": LENGTHS,
        "slo": slo,
        "rate": f"{draw(st.integers(2, 60))}/s",
    }
    code = {
        "name": "code",
        "model": "n",
        "lengths": LENGTHS,
        "slo": slo,
        "rate": f"{draw(st.integers(2, 30))}/s",
    }
    if regional:
        chat["regions"] = {"e": "70%", "w": "30%"}
    document = {
        "fleet": "random",
        "pools": [first, second],
        "models": [
            {"name": "m", "architecture": "llama-3.1-8b", "weights": "fp8"},
            {"name": "n", "architecture": "qwen3-8b", "weights": "fp8"},
        ],
        "workloads": [chat, code],
        "policies": {
            "roles": draw(st.sampled_from([["mixed"], ["disaggregated"], ["mixed", "disaggregated"]])),
            "parallelism": {"tensor": [1, 2], "pipeline": [1]},
            "shortage": "serve_what_fits",
            "spill": draw(st.sampled_from(["never", "when_short", "free"])),
        },
    }
    if regional:
        document["topology"] = {
            "regions": [{"name": "e", "zones": ["east"]}, {"name": "w", "zones": ["west"]}],
            "links": [{"regions": ["e", "w"], "round_trip": "90ms"}],
        }
    if (loss_of := draw(st.sampled_from([None, "node"]))) is not None:
        document["policies"]["survive"] = {"loss_of": loss_of}  # type: ignore[index]
    if draw(st.booleans()):
        document["periods"] = {
            "count": 3, "length": "8h", "start_delay": draw(st.sampled_from(["1s", "10min"])),
            "current": draw(st.integers(0, 2)),
        }  # fmt: skip
        for workload in (chat, code):
            shape = draw(st.lists(st.sampled_from([0, 0.3, 1]), min_size=3, max_size=3))
            workload["shape"] = shape if any(shape) else [1, 0, 0]
    return document


def without_nothing(document: dict[str, Any]) -> str:
    pools = [{key: value for key, value in pool.items() if value is not None} for pool in document["pools"]]
    return yaml.safe_dump(document | {"pools": pools})


def check(fleet: Fleet, plan: Plan) -> None:
    """Supply, whole groups, and links, from the places of the instances alone."""
    assert list(violations(fleet, plan)) == []
    taken = Counter((stage.node, gpu) for i in plan.instances for stage in i.stages for gpu in stage.gpus)
    assert max(taken.values(), default=1) == 1
    for pool in fleet.pools:
        used = sum(node.startswith(f"{pool.name}/") for node, _ in taken)
        assert used <= pool.usable_gpus
    for instance in plan.instances:
        for stage in instance.stages:
            assert len(stage.gpus) == instance.tensor_parallel_size
    for load in link_loads(fleet.pools, placed(fleet, plan)):
        assert load.share <= 0.8 + 1e-6, load
    if plan.schedule is not None:
        check_periods(fleet, plan, plan.schedule)


def check_periods(fleet: Fleet, plan: Plan, schedule: Schedule) -> None:
    """Supply in every period, the instances of the plan in the placed one, and a bound that is one."""
    for number, period in enumerate(schedule.periods):
        used: Counter[str] = Counter()
        for c in period.counts:
            gpus = c.tensor_parallel_size * c.pipeline_parallel_size * c.data_parallel_size
            used[c.pool] += c.instances * gpus
        assert all(used[pool.name] <= pool.usable_gpus for pool in fleet.pools)
        assert period.gpus_used == used.total()
        assert period.placed == (fleet.periods is not None and number == fleet.periods.placed)
        if period.placed:
            counted = Counter({(c.workload, c.role, c.pool): 0 for c in period.counts})
            for c in period.counts:
                counted[c.workload, c.role, c.pool] += c.instances
            assert +counted == Counter((i.workload, i.role, i.pool) for i in plan.instances)
    if schedule.bound is not None:
        assert schedule.bound <= schedule.cost * (1 + 1e-6)


def placed(fleet: Fleet, plan: Plan) -> list[Placed]:
    """Prefill and decode instances with the caches of the requests that the plan sends them."""
    found = []
    for instance in plan.instances:
        if instance.role == "mixed":
            continue
        pool = fleet.pool(instance.pool)
        node = pool.node_index(instance.stages[0].node)
        sign = 1.0 if instance.role == "prefill" else -1.0
        sent = sign * instance.expected.rate_per_s * cache_bytes(fleet, instance.workload)
        found.append(
            Placed(
                name=instance.name,
                workload=instance.workload,
                pool=pool.name,
                rack=pool.rack_of(node),
                node=node,
                bytes_per_s=sent,
            )
        )
    return found


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=fleets(), factor=st.sampled_from([0.5, 1.3]))
def test_no_plan_breaks_a_limit_and_no_way_drops_below_its_floor(document, factor) -> None:  # type: ignore[no-untyped-def]
    options = PlanOptions(time_limit_s=20.0, verify=False)
    fleet, first = (
        read_fleet(without_nothing(document)),
        create_plan(without_nothing(document), options=options),
    )
    check(fleet, first)
    for workload in document["workloads"]:
        workload["scale"] = factor
    text = without_nothing(document)
    second = create_plan(text, options=options, current=first)
    check(read_fleet(text), second)
    if second.instances:
        assert second.transition is not None
        assert replay(second.transition, first.instances, second.instances) == ()
    same = create_plan(text, options=options, current=second)
    assert sum(o.value for o in same.objectives if o.name.startswith("unserved")) <= 1e-6 + sum(
        o.value for o in second.objectives if o.name.startswith("unserved")
    )
    assert same.cost_per_hour <= second.cost_per_hour * (1 + 1e-6) or not second.instances
