"""`planner.adapters.assign`: copies onto instances, against exhaustive search and through whole plans."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from models.document import InvalidDocument
from planner.adapters.assign import adapter_notes, with_adapters
from planner.candidates.enumerate import enumerate_candidates
from planner.export import Options, exporter
from planner.fleet import Fleet, read_fleet
from planner.options import PlanOptions
from planner.pipeline import create_plan
from planner.plan import Instance, Plan, Stage
from planner.testing import make_instance
from solvers import SolveOptions

DOCUMENT = {
    "fleet": "t",
    "pools": [{"name": "a", "gpu": "h100-sxm-80gb", "nodes": 3, "gpus_per_node": 4, "price_per_gpu_hour": 2}],
    "models": [{"name": "m", "architecture": "llama-3.1-8b"}],
    "workloads": [
        {
            "model": "m",
            "rate": "60/s",
            "lengths": {"levels": [0, 1], "input_tokens": [200, 900], "output_tokens": [50, 200]},
            "slo": {"ttft_p95": "500ms", "tpot_p95": "20ms"},
        }
    ],
    "policies": {"parallelism": {"tensor": [1, 2], "pipeline": [1]}},
}


def text_of(shares: list[float], *, rate: str = "60/s", loss_of: str | None = None, **lora: object) -> str:
    adapters = [{"name": f"a{n}", "share": share, "rank": 12} for n, share in enumerate(shares)]
    workload = DOCUMENT["workloads"][0] | {"rate": rate, "lora": {"adapters": adapters, **lora}}  # type: ignore[index,operator]
    survive = {} if loss_of is None else {"survive": {"loss_of": loss_of}}
    policies = DOCUMENT["policies"] | survive  # type: ignore[operator]
    return yaml.safe_dump(DOCUMENT | {"workloads": [workload], "policies": policies})


def instances_of(nodes: list[int]) -> list[Instance]:
    """Instances of the workload, each 20 requests a second, on those nodes."""
    return [
        make_instance(f"m-mixed-{n}", (Stage(f"a/r0/n{node}", (n % 4,)),), workload="m", model="m")
        for n, node in enumerate(nodes)
    ]


def assigned(
    fleet: Fleet, instances: list[Instance], current: list[Instance] | None = None
) -> list[set[str]]:
    made = with_adapters(fleet, instances, current or [], lambda: SolveOptions(threads=1))
    return [{slot.name for slot in instance.adapters} for instance in made]


@settings(max_examples=25, deadline=None)
@given(
    shares=st.lists(st.integers(1, 9), min_size=1, max_size=3),
    slots=st.integers(1, 3),
    copies=st.integers(1, 2),
    count=st.integers(1, 3),
)
def test_as_many_copies_as_can_be_and_as_level(shares, slots, copies, count) -> None:  # type: ignore[no-untyped-def]
    parts = [share / (2 * sum(shares)) for share in shares]
    fleet = read_fleet(text_of(parts, slots=slots, copies=copies, rate="20/s"))
    held = assigned(fleet, instances_of([0] * count))
    assert all(len(mine) <= slots for mine in held)
    worth = [1 + part / max(parts) for part in parts]

    def value(choice: tuple[tuple[int, ...], ...]) -> tuple[float, float]:
        """Worth of what is placed (to maximise), and unevenness above the level of all copies."""
        load, got = [0.0] * count, 0.0
        for adapter, places in enumerate(choice):
            for place in places:
                load[place] += parts[adapter] * 20 / copies / 20
                got += worth[adapter]
        level = sum(parts) * 20 / (20 * count)
        return got, sum(max(0.0, each - level) ** 2 for each in load)

    subsets = [c for k in range(min(copies, count) + 1) for c in itertools.combinations(range(count), k)]
    best = max(
        (value(choice) for choice in itertools.product(subsets, repeat=len(parts))
         if all(sum(i in places for places in choice) <= slots for i in range(count))),
        key=lambda found: (round(found[0], 6), -found[1]),
    )  # fmt: skip
    mine = tuple(tuple(i for i in range(count) if f"a{n}" in held[i]) for n in range(len(parts)))
    got, uneven = value(mine)
    assert got == pytest.approx(best[0])
    assert uneven == pytest.approx(best[1], abs=1e-4)


def test_copies_lie_on_different_nodes_and_stay_where_they_are() -> None:
    fleet = read_fleet(text_of([0.3, 0.3, 0.2], slots=3, copies=2, rate="20/s", loss_of="node"))
    instances = instances_of([0, 0, 1, 1])
    made = with_adapters(fleet, instances, [], lambda: SolveOptions(threads=1))
    nodes: dict[str, set[str]] = defaultdict(set)
    for instance in made:
        for slot in instance.adapters:
            nodes[slot.name].add(instance.stages[0].node)
    assert {len(each) for each in nodes.values()} == {2}
    again = with_adapters(fleet, instances, made, lambda: SolveOptions(threads=1))
    assert again == made


def test_what_has_no_place_is_said() -> None:
    fleet = read_fleet(text_of([0.1] * 6, slots=2, copies=1, rate="20/s"))
    made = with_adapters(fleet, instances_of([0, 1]), [], lambda: SolveOptions(threads=1))
    assert Counter(len(instance.adapters) for instance in made) == {2: 2}
    (note,) = adapter_notes(fleet, made)
    assert note.startswith("2 of the 6 adapters of m are on fewer than 1 instances")


def test_slots_take_memory_and_steps_take_longer() -> None:
    def best(text: str) -> float:
        found = enumerate_candidates(read_fleet(text)).accepted
        assert {c.role for c in found} == {"mixed"}
        return max(c.capacity_per_s for c in found)

    free = best(text_of([0.5], slots=1))
    assert best(text_of([0.5], slots=1, overhead="10%")) < free / 1.1 * 1.02
    full = enumerate_candidates(read_fleet(text_of([0.5], slots=400)))
    (candidate, *_) = [c for c in full.accepted if c.tensor_parallel_size == 2]
    # rank 12 is served as 16; TP2 cuts half of the matrices
    assert candidate.reserved_bytes == pytest.approx(
        400 * 2 * 32 * 16 * (5 * 4096 + 2 * 4096 + 53248 / 2), rel=0.05
    )
    assert candidate.gpu_memory_utilization == 0.9


def plan_of(text: str) -> Plan:
    return create_plan(text, options=PlanOptions(time_limit_s=30.0))


def test_plans_have_enough_instances_and_engines_are_told() -> None:
    plan = plan_of(text_of([0.1] * 8, slots=2, copies=1, rate="20/s"))
    assert len(plan.instances) == 4  # 8 adapters in slots of 2, where one instance would carry the load
    held = Counter(slot.name for instance in plan.instances for slot in instance.adapters)
    assert held == {f"a{n}": 1 for n in range(8)}
    assert plan.verification is not None
    assert plan.verification.met
    assert Plan.from_json(plan.to_json()).instances[0].adapters
    script = exporter("vllm").export(plan, Options())
    assert "--enable-lora" in script
    assert "--max-loras 2" in script
    assert "--max-lora-rank 16" in script
    first = plan.instances[0].adapters
    assert (
        f"--lora-modules {first[0].name}={first[0].repository} {first[1].name}={first[1].repository}"
        in " ".join(script.replace("\\\n", " ").split())
    )


@pytest.mark.parametrize(
    ("lora", "said"),
    [
        ({"adapters": [{"name": "x", "share": 0.7}, {"name": "y", "share": 0.7}]}, "add up to 140"),
        ({"adapters": [{"name": "x", "share": 0.1}, {"name": "x", "share": 0.1}]}, "a second adapter named"),
        ({"adapters": [{"name": "m", "share": 0.1}]}, "a second thing to ask for"),
        ({"adapters": []}, "must not be empty"),
        ({"adapters": [{"name": "x", "share": 0.1, "rnak": 8}]}, "rank"),
    ],
)
def test_mistakes_are_located(lora: dict[str, object], said: str) -> None:
    workload = DOCUMENT["workloads"][0] | {"lora": lora}  # type: ignore[index,operator]
    with pytest.raises(InvalidDocument) as caught:
        read_fleet(yaml.safe_dump(DOCUMENT | {"workloads": [workload]}))
    assert said in str(caught.value)
