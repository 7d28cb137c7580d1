"""PlanningService over a real socket, with scripted workers."""

from __future__ import annotations

import time

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from planner.service.gen.fulcrum.v1 import plan_pb2, planning_service_pb2
from planner.service.gen.fulcrum.v1.plan_pb2 import Plan


def test_a_plan_is_created_waited_for_and_fetched(shared_server):
    operation = shared_server.create()
    assert operation.name.startswith("operations/")
    assert not operation.done

    done = shared_server.wait(operation)

    assert done.done
    response = plan_pb2.Plan()
    assert done.response.Unpack(response)
    plan = shared_server.plan(operation)
    assert plan == response
    assert plan.state == Plan.STATE_OPTIMAL
    assert plan.fleet == "demo"
    assert plan.price_per_hour == 10.0
    assert [(tier.name, tier.bound, tier.relative_gap) for tier in plan.objectives] == [("cost", 9.5, 0.05)]
    [instance] = plan.instances
    assert instance.role == plan_pb2.Instance.ROLE_MIXED
    assert [(stage.node, list(stage.gpu_indices)) for stage in instance.stages] == [
        ("h100/r0/n0", [0, 1]),
        ("h100/r1/n2", [4, 5]),
    ]
    assert [launch.node for launch in instance.launches] == ["h100/r0/n0", "h100/r1/n2"]
    assert list(instance.launches[0].command[:3]) == ["vllm", "serve", "meta-llama/Llama-3.1-70B-Instruct"]
    assert "{address:h100/r0/n0}" in instance.launches[1].command
    assert "$" not in str(instance.launches)
    assert instance.launches[1].environment["CUDA_VISIBLE_DEVICES"] == "4,5"


def test_plans_survive_a_restart(start_server):
    first = start_server()
    operation = first.create()
    first.wait(operation)
    before = first.plan(operation)
    first.stop()

    assert start_server().plan(operation) == before


def test_a_watch_sees_every_event_in_order_and_resumes(shared_server):
    operation = shared_server.create("{fleet: demo, steps: 6, pause_s: 0.05}")
    name = operation.name.replace("operations/", "plans/")

    def watch(after_sequence):
        request = planning_service_pb2.WatchPlanRequest(name=name, after_sequence=after_sequence)
        return list(shared_server.planning.WatchPlan(request, timeout=30))

    messages = watch(0)

    assert messages[0].plan.name == name
    assert messages[-1].plan.state == Plan.STATE_OPTIMAL
    assert messages[-1].plan.canonical_json
    progress = [message.progress for message in messages[1:-1]]
    assert [event.sequence for event in progress] == [1, 2, 3, 4, 5, 6]
    assert [event.phase for event in progress] == [f"step {i}" for i in range(6)]
    assert [event.objective for event in progress] == [100, 99, 98, 97, 96, 95]
    assert [message.progress.sequence for message in watch(4)[1:-1]] == [5, 6]


def test_infeasible_is_an_answer(shared_server):
    done = shared_server.wait(shared_server.create("{fleet: demo, state: infeasible}"))

    assert done.WhichOneof("result") == "response"
    assert shared_server.plan(done).state == Plan.STATE_INFEASIBLE


def test_cancelling_returns_the_best_so_far(shared_server):
    operation = shared_server.create("{fleet: demo, steps: 1, pause_s: 600}")
    while shared_server.plan(operation).state == Plan.STATE_QUEUED:
        time.sleep(0.01)
    start = time.monotonic()

    cancel(shared_server, operation)
    done = shared_server.wait(operation)

    assert time.monotonic() - start < 5
    assert done.done
    plan = shared_server.plan(operation)
    assert plan.state == Plan.STATE_CANCELLED
    assert len(plan.instances) == 1


def test_cancelling_in_the_queue_never_starts_it(shared_server):
    busy = shared_server.create("{fleet: demo, steps: 1, pause_s: 600}")
    queued = shared_server.create("{fleet: demo}")

    cancel(shared_server, queued)

    plan = shared_server.plan(queued)
    assert plan.state == Plan.STATE_CANCELLED
    assert not plan.HasField("start_time")
    cancel(shared_server, busy)


def test_the_time_limit_reaches_the_worker(shared_server):
    start = time.monotonic()
    options = plan_pb2.PlanOptions()
    options.time_limit.FromMilliseconds(300)

    shared_server.wait(
        operation := shared_server.create("{fleet: demo, steps: 1, pause_s: 600}", options=options)
    )

    assert shared_server.plan(operation).state == Plan.STATE_FEASIBLE
    assert time.monotonic() - start < 10


def test_a_deadline_counts_the_queue(shared_server):
    options = plan_pb2.PlanOptions()
    options.deadline.FromNanoseconds(time.time_ns() + 300_000_000)
    blocking = plan_pb2.PlanOptions()
    blocking.time_limit.FromMilliseconds(800)
    shared_server.create("{fleet: demo, steps: 1, pause_s: 600}", options=blocking)

    done = shared_server.wait(shared_server.create(options=options))

    assert shared_server.plan(done).state == Plan.STATE_CANCELLED
    assert not shared_server.plan(done).instances


def test_a_request_id_makes_a_retry_safe(shared_server):
    first = shared_server.create(request_id="one")

    assert shared_server.create(request_id="one").name == first.name
    assert shared_server.create(request_id="two").name != first.name
    with pytest.raises(grpc.RpcError) as refused:
        shared_server.create("fleet: other", request_id="one")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_pages_are_complete_and_without_repeats(server):
    names = [server.create(f"fleet: f{i % 2}").name.replace("operations/", "plans/") for i in range(7)]

    seen, token, pages = [], "", 0
    while True:
        request = planning_service_pb2.ListPlansRequest(page_size=3, page_token=token)
        page = server.planning.ListPlans(request, timeout=10)
        seen += [plan.name for plan in page.plans]
        pages += 1
        token = page.next_page_token
        if not token:
            break

    assert seen == names[::-1]
    assert pages == 3
    only = server.planning.ListPlans(planning_service_pb2.ListPlansRequest(fleet="f1"), timeout=10)
    assert len(only.plans) == 3


def test_validate_only_stores_nothing(server):
    assert server.create(validate_only=True).done

    assert not server.planning.ListPlans(planning_service_pb2.ListPlansRequest(), timeout=10).plans


def test_the_current_plan_may_be_one_of_this_server(shared_server):
    shared_server.wait(operation := shared_server.create())
    plan = shared_server.plan(operation)

    assert shared_server.wait(shared_server.create("fleet: next", current_plan=plan.name)).done
    assert shared_server.wait(shared_server.create("fleet: next", current_plan_json=plan.canonical_json)).done


def test_health(shared_server):
    health = health_pb2_grpc.HealthStub(shared_server.channel)
    for service in ("", "fulcrum.v1.PlanningService", "google.longrunning.Operations"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_reflection_lists_the_services(shared_server):
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

    services = ProtoReflectionDescriptorDatabase(shared_server.channel).get_services()

    assert {"fulcrum.v1.PlanningService", "google.longrunning.Operations", "grpc.health.v1.Health"} <= set(
        services
    )


def cancel(server, operation):
    from google.longrunning import operations_pb2

    server.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=operation.name), timeout=10)
