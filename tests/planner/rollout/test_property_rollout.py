"""Random chains of promotions, with acknowledgements in random order, failures and turns in the middle."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.plan import Expectation, Instance, Plan, Stage
from planner.rollout import Acknowledgement, Progress, RolloutBody, build_rollout
from planner.rollout.build import standing_seats
from planner.rollout.progress import step_nodes

NODES = ("p/r0/n0", "p/r0/n1", "p/r0/n2")
GPUS_PER_NODE = 2


def plan_of(instances) -> Plan:
    return Plan(
        fulcrum_version="0", fleet="demo", fleet_digest="", seed=0, state="optimal", cost_per_hour=0.0,
        instances=tuple(instances), workloads=(), pools=(), objectives=(), moves=(), basis=(),
    )  # fmt: skip


def instance(name: str, workload: str, stages: tuple[Stage, ...], tensor: int) -> Instance:
    return Instance(
        name=name, workload=workload, model=workload, repository="a/b", role="mixed", engine="vllm",
        pool="p", gpu="h100-sxm-80gb", tensor_parallel_size=tensor, pipeline_parallel_size=len(stages),
        weights="bf16", checkpoint="bf16", kv_cache="bf16", max_num_seqs=8, max_num_batched_tokens=2048,
        max_model_len=4096, gpu_memory_utilization=0.9, stages=stages, price_per_hour=1.0, basis="datasheet",
        expected=Expectation(rate_per_s=1.0, capacity_per_s=1.0, ttft_ms=1.0, tpot_ms=1.0, concurrency=1.0),
    )  # fmt: skip


@st.composite
def plans(draw) -> Plan:
    """Instances of one or two GPUs, over one or two nodes, that share none."""
    free = draw(st.permutations([(node, gpu) for node in NODES for gpu in range(GPUS_PER_NODE)]))
    found, used = [], 0
    for i in range(draw(st.integers(1, 4))):
        workload = draw(st.sampled_from(("chat", "code")))
        stages = draw(st.integers(1, 2))
        if used + stages > len(free):
            break
        taken = tuple(Stage(node, (gpu,)) for node, gpu in sorted(free[used : used + stages]))
        found.append(instance(f"{workload}-{i}", workload, taken, 1))
        used += stages
    return plan_of(sorted(found, key=lambda one: one.name))


class World:
    """What runs on GPUs, as agents that obey would have it."""

    def __init__(self) -> None:
        self.running: dict[str, frozenset] = {}
        self.serving: set[str] = set()

    def obey(self, body: RolloutBody, step) -> None:
        seat = {one.id: one for one in body.seats}[step.instance]
        gpus = frozenset((stage.node, gpu) for stage in seat.instance.stages for gpu in stage.gpus)
        if step.kind == "load":
            assert not any(gpus & held for held in self.running.values()), "a GPU is held twice"
            self.running[step.instance] = gpus
        elif step.kind == "switch":
            assert step.instance in self.running
            self.serving.add(step.instance)
        elif step.kind in ("drain", "migrate"):
            self.serving.discard(step.instance)
        elif step.kind == "retire":
            assert step.instance not in self.serving
            del self.running[step.instance]

    def forget_unwanted(self, body: RolloutBody) -> None:
        """Agents end what is in no assignment."""
        wanted = {seat.id for seat in body.seats}
        self.running = {name: gpus for name, gpus in self.running.items() if name in wanted}
        self.serving &= wanted


def play(world: World, body: RolloutBody, data, upto: float) -> list[Acknowledgement]:
    """Do open steps in random order, until a share of all is done or none is open."""
    said: list[Acknowledgement] = []
    stop_after = round(upto * sum(len(step_nodes(step)) for step in body.steps))
    while True:
        progress = Progress(body, said)
        todo = [
            (step, node)
            for node in NODES
            for step in progress.to_do(node)
            if not progress.ended(step.index, node)
        ]
        if not todo or len(said) >= stop_after:
            return said
        step, node = data.draw(st.sampled_from(todo))
        assert all(progress.states[before] == "done" for before in step.after)
        said.append(
            Acknowledgement(
                step=step.index, node=node, outcome="done", engine="e", reason="", start_us=1, end_us=1
            )
        )
        if {ack.node for ack in said if ack.step == step.index} == set(step_nodes(step)):
            world.obey(body, step)


@settings(max_examples=60, deadline=None)
@given(plans(), plans(), plans(), st.floats(0, 1), st.data())
def test_promotions_in_a_row_end_with_the_plan_whatever_happened_before(a, b, c, share, data) -> None:
    world, progress = World(), None
    for generation, (plan, upto) in enumerate(((a, 1.0), (b, share), (c, 1.0)), start=1):
        body = build_rollout(generation, plan, standing=standing_seats(progress))
        assert RolloutBody.from_json(body.to_json()) == body
        if progress is not None:  # what is in no seat, or was being stopped, is ended by its agent
            world.forget_unwanted(body)
            standing = {seat.id for seat in body.seats if seat.phase != "absent"}
            world.running = {name: gpus for name, gpus in world.running.items() if name in standing}
            assert set(world.running) == standing
            world.serving = {seat.id for seat in body.seats if seat.phase == "serving"}
        progress = Progress(body, play(world, body, data, upto))
    assert progress is not None
    assert progress.done
    expected = {(i.name, i.stages) for i in c.instances}
    seats = {seat.id: seat for seat in progress.body.seats}
    assert {(seats[name].instance.name, seats[name].instance.stages) for name in world.running} == expected
    assert world.serving == set(world.running)
    assert {seat.id for seat in progress.body.seats if progress.desired(seat) == "serving"} == world.serving


@settings(max_examples=60, deadline=None)
@given(plans(), plans())
def test_ports_are_never_shared_on_a_node(a, b) -> None:
    first = build_rollout(1, a)
    done = [
        Acknowledgement(step=s.index, node=n, outcome="done", engine="", reason="", start_us=1, end_us=1)
        for s in first.steps
        for n in step_nodes(s)
    ]
    body = build_rollout(2, b, standing=standing_seats(Progress(first, done)))
    for node in NODES:
        ports = [
            seat.port_offset + i for seat in body.seats if node in seat.nodes for i in range(seat.port_count)
        ]
        assert len(ports) == len(set(ports))
    for seat in body.seats:
        for part in seat.launches:
            words = list(part.command)
            assert words[words.index("--port") + 1] == str(8000 + seat.port_offset)


def test_the_plans_own_transition_is_taken_where_it_begins_with_what_stands() -> None:
    from planner.transition import StepTimes, plan_transition
    from planner.transition.estimates import LoadTier

    node = NODES[0]
    base = plan_of([instance("chat-0", "chat", (Stage(node, (0,)),), 1)])
    target = [instance("chat-0", "chat", (Stage(node, (1,)),), 1)]
    times = StepTimes(weight_bytes=lambda _: 7e9, tiers=lambda _: (LoadTier("disk", 1e9),))
    transition = plan_transition(base.instances, target, nodes={"p": {node: 2}}, times=times)
    import dataclasses

    plan = dataclasses.replace(plan_of(target), transition=transition)
    first = build_rollout(1, base)
    done = [
        Acknowledgement(step=s.index, node=node, outcome="done", engine="", reason="", start_us=1, end_us=1)
        for s in first.steps
    ]
    body = build_rollout(2, plan, base=base, standing=standing_seats(Progress(first, done)))
    assert [(s.kind, s.instance) for s in body.steps] == [
        ("load", "chat-0@2"), ("switch", "chat-0@2"), ("drain", "chat-0@1"), ("retire", "chat-0@1"),
    ]  # fmt: skip
    assert [s.end_s for s in body.steps] == [s.end_s for s in transition.steps]


@pytest.mark.parametrize("halted", [False, True])
def test_halting_withdraws_open_steps_only(halted: bool) -> None:
    body = build_rollout(
        1, plan_of([instance(f"chat-{i}", "chat", (Stage(NODES[i], (0,)),), 1) for i in (0, 1)])
    )
    loads = [step for step in body.steps if step.kind == "load"]
    begun = Acknowledgement(
        step=loads[0].index, node=NODES[0], outcome="started", engine="", reason="", start_us=1, end_us=None
    )
    progress = Progress(body, [begun], halted=halted)
    assert progress.states[loads[0].index] == "started"
    assert progress.states[loads[1].index] == ("waiting" if halted else "open")
    wanted = {seat.id: progress.desired(seat) for seat in body.seats}
    assert wanted == {"chat-0@1": "loaded", "chat-1@1": "absent" if halted else "loaded"}
