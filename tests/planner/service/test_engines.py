"""EngineService and the rollouts of FleetService, over a real socket."""

from __future__ import annotations

import time

import grpc
import pytest
from google.protobuf import duration_pb2, timestamp_pb2
from grpc_status import rpc_status

from planner.service.protos import (
    code_pb2,
    engine_service_pb2,
    engine_service_pb2_grpc,
    error_details_pb2,
    fleet_service_pb2,
    fleet_service_pb2_grpc,
    load_pb2,
)

pb = engine_service_pb2
ACK = pb.AcknowledgeStepRequest
HEAD, OTHER = "h100/r0/n0", "h100/r1/n2"  # nodes of the scripted plan's instance


@pytest.fixture
def fleets(server):
    stub = fleet_service_pb2_grpc.FleetServiceStub(server.channel)
    stub.RegisterFleet(fleet_service_pb2.RegisterFleetRequest(document="fleet: demo"), timeout=10)
    return stub


@pytest.fixture
def engines(server, fleets):
    return engine_service_pb2_grpc.EngineServiceStub(server.channel)


def refusal(call) -> tuple[int, str]:
    with pytest.raises(grpc.RpcError) as error:
        call()
    status = rpc_status.from_call(error.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return status.code, info.reason


def made(server, document="fleet: demo") -> str:
    operation = server.create(document)
    server.wait(operation)
    return operation.name.replace("operations/", "plans/")


def register(engines, engine_id, node, **fields):
    lease_s = fields.pop("lease_s", 30)
    request = pb.RegisterEngineRequest(
        parent="fleets/demo", engine_id=engine_id, engine=pb.Engine(node=node, **fields),
        lease_duration=duration_pb2.Duration(seconds=lease_s),
    )  # fmt: skip
    return engines.RegisterEngine(request, timeout=10).name


def acknowledge(engines, name, step, outcome=ACK.OUTCOME_DONE, generation=1, reason=""):
    request = ACK(name=name, generation=generation, step_index=step, outcome=outcome, reason=reason)
    return engines.AcknowledgeStep(request, timeout=10).rollout_state


def promote(fleets, plan):
    fleets.PromotePlan(fleet_service_pb2.PromotePlanRequest(name="fleets/demo", plan=plan), timeout=10)


def rollout(fleets, generation="-"):
    request = fleet_service_pb2.GetRolloutRequest(name=f"fleets/demo/rollouts/{generation}")
    return fleets.GetRollout(request, timeout=10)


class Follower:
    """A watch of one engine."""

    def __init__(self, engines, name, token=""):
        self.stream = engines.WatchAssignment(
            pb.WatchAssignmentRequest(name=name, resume_token=token), timeout=60
        )

    def next(self):
        """The next assignment, over signs of life."""
        return next(r.assignment for r in self.stream if r.WhichOneof("event") == "assignment")

    def until(self, wanted):
        return next(a for a in iter(self.next, None) if wanted(a))


def test_a_rollout_step_by_step(server, fleets, engines) -> None:
    head, other = (
        register(engines, "e0", HEAD, address="10.0.0.1"),
        register(engines, "e1", OTHER, address="10.0.0.2", gpu_indices=[4, 5]),
    )
    watch = Follower(engines, head)
    first = watch.next()
    assert (first.generation, first.plan, list(first.instances)) == (0, "", [])

    plan = made(server)
    promote(fleets, plan)
    loading = watch.until(lambda a: a.generation == 1)
    (assigned,) = loading.instances
    assert loading.plan == plan
    assert assigned.instance_id == "chat-mixed-0@1"
    assert assigned.desired == pb.AssignedInstance.DESIRED_LOADED
    assert list(assigned.gpu_indices) == [0, 1]
    assert assigned.launch.node == HEAD
    assert assigned.launch.command[:2] == ["vllm", "serve"]
    assert dict(assigned.node_addresses) == {HEAD: "10.0.0.1", OTHER: "10.0.0.2"}
    assert [(s.step.index, s.instance_id, s.started) for s in loading.steps] == [(0, "chat-mixed-0@1", False)]

    assert refusal(lambda: acknowledge(engines, head, 1)) == (code_pb2.FAILED_PRECONDITION, "OUT_OF_ORDER")
    assert refusal(lambda: acknowledge(engines, head, 0, generation=2)) == (
        code_pb2.FAILED_PRECONDITION, "STALE_GENERATION",
    )  # fmt: skip
    for outcome in (ACK.OUTCOME_STARTED, ACK.OUTCOME_STARTED, ACK.OUTCOME_DONE, ACK.OUTCOME_DONE):
        acknowledge(engines, head, 0, outcome)
    assert refusal(lambda: acknowledge(engines, head, 0, ACK.OUTCOME_FAILED, reason="no")) == (
        code_pb2.FAILED_PRECONDITION, "STEP_ENDED",
    )  # fmt: skip
    now = rollout(fleets)
    assert [step.state for step in now.steps] == [3, 1]  # the other node has not said so
    acknowledge(engines, other, 0)
    serving = watch.until(lambda a: [s.step.index for s in a.steps] == [1])
    assert serving.instances[0].desired == pb.AssignedInstance.DESIRED_SERVING
    for name in (head, other):
        acknowledge(engines, name, 1)
    done = watch.until(lambda a: a.rollout_state == 2)
    assert not done.steps
    assert rollout(fleets).state == 2

    again = Follower(engines, head, done.resume_token)
    assert next(again.stream).WhichOneof("event") == "heartbeat"


def drive(fleets, engines, nodes, until=None):
    """Acknowledge every step in order; stops before the first that `until` names, and returns it."""
    now = rollout(fleets)
    for one in now.steps:
        if until is not None and until(one):
            return one.step
        for node in dict.fromkeys(stage.node for stage in one.step.stages):
            acknowledge(engines, nodes[node], one.step.index, generation=now.generation)
    return None


@pytest.fixture
def nodes(engines):
    """Engines by node: of the scripted plan, and of the one with ``node: 3``."""
    third = "h100/r1/n3"
    return {node: register(engines, f"e{i}", node) for i, node in enumerate((HEAD, OTHER, third))}


def test_another_plan_moves_what_runs(server, fleets, engines, nodes) -> None:
    promote(fleets, made(server))
    drive(fleets, engines, nodes)
    promote(fleets, made(server, "{fleet: demo, node: 3}"))
    assert rollout(fleets).generation == 2
    assert rollout(fleets, 1).state == 2
    drive(fleets, engines, nodes)
    assert rollout(fleets).state == 2
    gone, new = (Follower(engines, nodes[node]).next() for node in (OTHER, "h100/r1/n3"))
    assert not gone.instances
    assert [i.instance_id for i in new.instances] == ["chat-mixed-0@2"]


def test_a_failure_stops_and_the_plan_before_comes_back(server, fleets, engines, nodes) -> None:
    first, third = made(server), "h100/r1/n3"
    promote(fleets, first)
    drive(fleets, engines, nodes)
    promote(fleets, made(server, "{fleet: demo, node: 3}"))
    load = drive(
        fleets, engines, nodes, until=lambda s: (s.step.kind, s.instance_id) == (1, "chat-mixed-0@2")
    ).index
    acknowledge(engines, nodes[HEAD], load, ACK.OUTCOME_STARTED, generation=2)
    assert acknowledge(engines, nodes[third], load, ACK.OUTCOME_FAILED, 2, "out of memory") == 3
    failed = rollout(fleets)
    assert failed.state == 3
    assert "out of memory" in failed.reason
    wanted = [i.instance_id for i in Follower(engines, nodes[third]).next().instances]
    assert "chat-mixed-0@2" not in wanted  # what failed is to be cleared

    back = fleets.RollBackFleet(fleet_service_pb2.RollBackFleetRequest(name="fleets/demo"), timeout=10)
    assert back.promoted_plan == first
    returning = rollout(fleets)
    assert (returning.generation, returning.state) == (3, 1)
    assert "chat-mixed-0@3" in {step.instance_id for step in returning.steps}
    drive(fleets, engines, nodes)
    assert rollout(fleets).state == 2
    running = {i.instance_id for name in nodes.values() for i in Follower(engines, name).next().instances}
    assert running == {"chat-mixed-0@3"}


def test_stopping_withdraws_what_nobody_began(server, fleets, engines) -> None:
    head = register(engines, "e0", HEAD)
    plan = made(server)
    promote(fleets, plan)
    assert list(rollout(fleets).waiting_nodes) == [OTHER]
    stop = fleet_service_pb2.StopRolloutRequest(parent="fleets/demo", generation=1, reason="lunch")
    assert fleets.StopRollout(stop, timeout=10).reason == "lunch"
    assignment = Follower(engines, head).next()
    assert not assignment.steps
    assert not assignment.instances
    assert refusal(lambda: acknowledge(engines, head, 0)) == (
        code_pb2.FAILED_PRECONDITION, "ROLLOUT_STOPPED",
    )  # fmt: skip
    promote(fleets, plan)  # again: a new try
    assert rollout(fleets).generation == 2
    assert refusal(lambda: fleets.StopRollout(stop, timeout=10))[0] == code_pb2.ABORTED


def test_registration_is_repeatable_and_guards_gpus(engines) -> None:
    name = register(engines, "e0", HEAD, gpu_indices=[0, 1], labels={"rack": "7"})
    assert register(engines, "e0", HEAD, gpu_indices=[0, 1]) == name
    register(engines, "e1", HEAD, gpu_indices=[2, 3])
    precondition = code_pb2.FAILED_PRECONDITION
    assert refusal(lambda: register(engines, "e0", OTHER)) == (precondition, "ENGINE_ELSEWHERE")
    assert refusal(lambda: register(engines, "e2", HEAD, gpu_indices=[3, 4])) == (precondition, "GPUS_TAKEN")
    assert refusal(lambda: register(engines, "e2", HEAD)) == (precondition, "GPUS_TAKEN")
    assert refusal(lambda: register(engines, "bad id", HEAD))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(lambda: register(engines, "e3", ""))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(lambda: register(engines, "e3", "n\0"))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(lambda: register(engines, "e3", HEAD, gpu_indices=[1, 1]))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(lambda: register(engines, "e3", HEAD, lease_s=1))[0] == code_pb2.INVALID_ARGUMENT
    page = engines.ListEngines(pb.ListEnginesRequest(parent="fleets/demo", page_size=1), timeout=10)
    assert [engine.name for engine in page.engines] == [name]
    rest = engines.ListEngines(
        pb.ListEnginesRequest(parent="fleets/demo", page_token=page.next_page_token), timeout=10
    )
    assert [engine.name for engine in rest.engines] == ["fleets/demo/engines/e1"]
    engines.DeleteEngine(pb.DeleteEngineRequest(name=name), timeout=10)
    get = pb.GetEngineRequest(name=name)
    assert refusal(lambda: engines.GetEngine(get, timeout=10))[0] == code_pb2.NOT_FOUND
    register(engines, "e2", HEAD, gpu_indices=[0])


def sample(instance="chat-mixed-0@1", ago_s=10.0, counts=(0, 30, 0), **fields):
    end = timestamp_pb2.Timestamp()
    end.FromMicroseconds(round((time.time() - ago_s) * 1e6))
    histogram = load_pb2.LatencyHistogram(upper_bounds_ms=[400, 500], counts=counts)
    return load_pb2.LoadSample(
        instance_id=instance, end_time=end, window=duration_pb2.Duration(seconds=10), request_count=30,
        ttft=histogram, **fields,
    )  # fmt: skip


def test_reported_load_is_kept_and_summed(server, fleets, engines) -> None:
    name = register(engines, "e0", HEAD)
    promote(fleets, made(server))
    report = pb.ReportLoadRequest(
        name=name,
        samples=[
            sample(queued_count=3), sample(ago_s=20, counts=[0, 0, 30], cold_start=True),
            sample("chat-mixed-0@0"), sample(ago_s=-1000),
        ],
        instances=[pb.InstanceStatus(instance_id="chat-mixed-0@1", state=2)], instances_reported=True,
    )  # fmt: skip
    for _ in range(2):
        discarded = engines.ReportLoad(report, timeout=10).discarded
        assert [text.split(":")[0] for text in discarded] == [
            "chat-mixed-0@0 is no instance of the last rollout", "chat-mixed-0@1",
        ]  # fmt: skip
    (status,) = engines.GetEngine(pb.GetEngineRequest(name=name), timeout=10).instances
    assert status.state == pb.InstanceStatus.STATE_READY

    now = time.time()
    request = fleet_service_pb2.ListLoadRequest(parent="fleets/demo", step=duration_pb2.Duration(seconds=60))
    request.start_time.FromSeconds(int(now) - 600)
    request.end_time.FromSeconds(int(now) + 60)
    loads = fleets.ListLoad(request, timeout=10).loads
    assert sum(load.rate_per_second for load in loads) / len(loads) == pytest.approx(3.0)
    assert sum(load.cold_sample_count for load in loads) == 1
    warm = [load for load in loads if load.HasField("ttft")]
    assert [list(load.ttft.counts) for load in warm] == [[0, 30, 0]]
    assert [load.queued_count for load in loads if load.HasField("queued_count")] == [3]

    bad = pb.ReportLoadRequest(name=name, samples=[sample(counts=[1, 2])])
    assert refusal(lambda: engines.ReportLoad(bad, timeout=10))[0] == code_pb2.INVALID_ARGUMENT
    stranger = pb.ReportLoadRequest(name="fleets/demo/engines/none")
    assert refusal(lambda: engines.ReportLoad(stranger, timeout=10))[0] == code_pb2.NOT_FOUND


def test_those_who_follow_a_rollout_see_it_end(server, fleets, engines) -> None:
    nodes = [register(engines, "e0", HEAD), register(engines, "e1", OTHER)]
    watch = fleets.WatchRollout(fleet_service_pb2.WatchRolloutRequest(parent="fleets/demo"), timeout=30)
    assert next(watch).WhichOneof("event") == "heartbeat"
    promote(fleets, made(server))
    for step in (0, 1):
        for name in nodes:
            acknowledge(engines, name, step)
    seen = []
    for response in watch:
        if response.WhichOneof("event") == "rollout":
            seen.append(response.rollout)
            if response.rollout.state == 2:
                break
    assert [one.sequence for one in seen] == sorted(one.sequence for one in seen)
    assert [step.state for step in seen[-1].steps] == [4, 4]
