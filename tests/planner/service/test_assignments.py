"""AssignmentService over a real socket: with the real solvers, and with a scripted worker that misbehaves."""

from __future__ import annotations

import json
import time

import grpc
import pytest
from google.longrunning import operations_pb2
from grpc_status import rpc_status

from planner.assignment import solve_document, to_json
from planner.service.create_request import PlanLimits
from planner.service.protos import (
    assignment_service_pb2,
    assignment_service_pb2_grpc,
    code_pb2,
    error_details_pb2,
    plan_pb2,
)
from solvers import SolveOptions
from specs.document import read_problem

PROBLEM = """\
kind: AssignmentProblem
objects: {name: task, ids: [a, b, c]}
containers: {name: host, ids: [h0, h1, h2]}
assignment: {a: h0, b: h0}
dimensions:
  cpu: {objects: {a: 3, b: 2, c: 3}, containers: 5}
constraints:
  - capacity: {scope: host, dimension: cpu}
    policy: hard
goals:
  - maximize_allocation: {scope: host, dimension: cpu}
  - minimize_movement: {}
"""
Answer = assignment_service_pb2.AssignmentAnswer


def call(running, document: str, *, timeout: float = 30, validate_only: bool = False, **options):
    """The stream of one call."""
    request = assignment_service_pb2.SolveAssignmentRequest(document=document, validate_only=validate_only)
    if (time_limit_s := options.pop("time_limit_s", None)) is not None:
        request.options.time_limit.FromNanoseconds(round(time_limit_s * 1e9))
    for name, value in options.items():
        setattr(request.options, name, value)
    stub = assignment_service_pb2_grpc.AssignmentServiceStub(running.channel)
    return stub.SolveAssignment(request, timeout=timeout)


def refusal(stream) -> tuple[int, str, list[str]]:
    """Code, reason and violated fields of a call that is refused."""
    with pytest.raises(grpc.RpcError) as error:
        list(stream)
    status = rpc_status.from_call(error.value)
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(info)
    if len(status.details) > 1:
        status.details[1].Unpack(request)
    return status.code, info.reason, [violation.field for violation in request.field_violations]


def until(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="module")
def solving(shared_real_server):
    return shared_real_server


def test_the_answer_is_that_of_the_command_line(solving) -> None:
    *progress, last = call(solving, PROBLEM, prices=True)
    assert progress[0].progress.phase == "waiting"
    assert all(message.WhichOneof("event") == "progress" for message in progress)
    assert last.answer.state == Answer.STATE_OPTIMAL
    own = solve_document(read_problem(PROBLEM), SolveOptions(time_limit_s=300.0), prices=True)
    assert last.answer.json == to_json(own)


def test_infeasible_is_an_answer_with_its_reason(solving) -> None:
    document = PROBLEM.replace("a: 3, b: 2, c: 3", "a: 9, b: 9, c: 9") + "may_be_unassigned: false\n"
    *_, last = call(solving, document)
    assert last.answer.state == Answer.STATE_INFEASIBLE
    assert json.loads(last.answer.json)["infeasible"]


def test_a_bad_document_is_refused_with_every_violation(solving) -> None:
    document = PROBLEM.replace("containers: 5}", "containers: x}\n  memory: {objects: {a: 1}, containers: y}")
    code, _, fields = refusal(call(solving, document, validate_only=True))
    assert code == code_pb2.INVALID_ARGUMENT
    assert fields == [
        "document.dimensions.cpu.containers",
        "document.dimensions.memory.containers",
    ]


@pytest.mark.parametrize("entities", ["count: 100000000000", "counts: {a: 99999999999, b: 1}"])
def test_two_words_that_stand_for_too_much_are_refused(solving, entities) -> None:
    document = PROBLEM.replace("ids: [a, b, c]", entities)
    code, _, fields = refusal(call(solving, document))
    assert (code, fields) == (code_pb2.INVALID_ARGUMENT, ["document.objects." + entities.partition(":")[0]])


def test_no_file_is_opened(solving, tmp_path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("id,cpu\na,3\nb,2\nc,3\n")
    document = PROBLEM.replace("objects: {a: 3, b: 2, c: 3}", f"objects: {{file: {secret}}}")
    code, _, fields = refusal(call(solving, document))
    assert code == code_pb2.INVALID_ARGUMENT
    assert fields[0].startswith("document.dimensions")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"time_limit_s": 0}, "options.time_limit"),
        ({"time_limit_s": 1e6}, "options.time_limit"),
        ({"thread_count": 99}, "options.thread_count"),
        ({"seed": -1}, "options.seed"),
        ({"relative_gap": float("nan")}, "options.relative_gap"),
        ({"solver": "abacus"}, "options.solver"),
    ],
)
def test_bad_options_are_refused(solving, options, field) -> None:
    code, _, fields = refusal(call(solving, PROBLEM, **options))
    assert (code, fields) == (code_pb2.INVALID_ARGUMENT, [field])


def test_a_good_request_that_is_only_checked_is_not_solved(solving) -> None:
    assert list(call(solving, PROBLEM, validate_only=True)) == []


def test_size_is_limited(start_server) -> None:
    small = start_server(limits=PlanLimits(document_bytes=100))
    code, _, fields = refusal(call(small, "fleet: demo #" + "x" * 100))
    assert (code, fields) == (code_pb2.INVALID_ARGUMENT, ["document"])


def test_the_deadline_of_the_call_reaches_the_solver(server) -> None:
    *_, last = call(server, "{fleet: demo, pause_s: 600}", timeout=2.5, time_limit_s=100)
    assert last.answer.state == Answer.STATE_FEASIBLE
    assert 0 < json.loads(last.answer.json)["time_limit_s"] < 2.01
    *_, last = call(server, "fleet: demo", time_limit_s=7)
    assert json.loads(last.answer.json)["time_limit_s"] == 7


def test_a_call_that_is_cancelled_stops_its_solver_and_keeps_the_worker(server) -> None:
    executor = server.server._executor
    stream = call(server, "{fleet: demo, steps: 9, pause_s: 600}")
    assert [next(stream).progress.phase, next(stream).progress.phase] == ["waiting", "step 0"]
    (worker,) = executor.process_ids
    stream.cancel()
    *_, last = call(server, "fleet: demo")  # the one worker is free again
    assert last.answer.state == Answer.STATE_OPTIMAL
    assert executor.process_ids == [worker]
    until(lambda: not server.server._streamed._running)


def test_a_tenant_has_so_many_problems_and_no_more(start_server) -> None:
    server = start_server(limits=PlanLimits(solve_count=2))
    streams = [call(server, "{fleet: demo, pause_s: 600}") for _ in range(2)]
    for stream in streams:
        assert next(stream).progress.phase == "waiting"
    assert refusal(call(server, "fleet: demo"))[:2] == (code_pb2.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
    for stream in streams:
        stream.cancel()
    until(lambda: not server.server._streamed._running)
    *_, last = call(server, "fleet: demo")
    assert last.answer.state == Answer.STATE_OPTIMAL


def test_who_gives_up_waiting_for_a_worker_may_ask_again(start_server) -> None:
    server = start_server(limits=PlanLimits(solve_count=2))
    holding = server.create("{fleet: demo, pause_s: 600}")  # the only worker
    until(lambda: server.plan(holding).state == plan_pb2.Plan.STATE_RUNNING)
    for _ in range(3):
        waiting = [call(server, "fleet: demo") for _ in range(2)]
        for stream in waiting:
            assert next(stream).progress.phase == "waiting"
            stream.cancel()
        until(lambda: not server.server._streamed._running)
    server.operations.CancelOperation(operations_pb2.CancelOperationRequest(name=holding.name))
    *_, last = call(server, "fleet: demo")
    assert last.answer.state == Answer.STATE_OPTIMAL


@pytest.mark.parametrize(
    ("end", "reason"), [("die", "WORKER_DIED"), ("break", "SOLVER_FAILED"), ("surprise", "INTERNAL")]
)
def test_what_breaks_ends_the_call_and_nothing_else(server, end, reason) -> None:
    code, found, _ = refusal(call(server, f"{{fleet: demo, then: {end}}}"))
    retryable = code_pb2.UNAVAILABLE if end == "die" else code_pb2.INTERNAL
    assert (code, found) == (retryable, reason)
    *_, last = call(server, "fleet: demo")
    assert last.answer.state == Answer.STATE_OPTIMAL


def test_a_server_that_stops_ends_the_call(start_server) -> None:
    server = start_server()
    stream = call(server, "{fleet: demo, pause_s: 600, stops: false}")
    assert next(stream).progress.phase == "waiting"
    server.stop()
    with pytest.raises(grpc.RpcError):
        list(stream)
