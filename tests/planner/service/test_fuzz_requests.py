"""Mutated messages and documents: every one is answered in time, and the server goes on.

``FULCRUM_FUZZ_REQUESTS`` sets how many are sent to each target.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import grpc
import pytest
from google.longrunning import operations_pb2

from planner.fleet import read_fleet_file
from planner.service.gen.fulcrum.v1 import (
    assignment_service_pb2,
    plan_pb2,
    planning_service_pb2,
    profile_service_pb2,
)

COUNT = int(os.environ.get("FULCRUM_FUZZ_REQUESTS", "60"))
EXAMPLE = Path(__file__).parents[3] / "examples" / "fleet.yaml"
DEADLINE_S = 20.0

REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNIMPLEMENTED,
}
ASSIGNMENT = "/fulcrum.v1.AssignmentService/"
PROFILES = "/fulcrum.v1.ProfileService/"
PLANNING = "/fulcrum.v1.PlanningService/"
OPERATIONS = "/google.longrunning.Operations/"
NAME = "plans/" + "0" * 32
OPERATION = "operations/" + "0" * 32


def seeds():
    options = plan_pb2.PlanOptions(seed=3, thread_count=1)
    options.time_limit.FromSeconds(3)
    pb, op = planning_service_pb2, operations_pb2
    create = pb.CreatePlanRequest(document="fleet: demo", options=options, request_id="r", validate_only=True)
    solve = assignment_service_pb2.SolveAssignmentRequest(document="fleet: demo", validate_only=True)
    solve.options.time_limit.FromSeconds(3)
    return {
        ASSIGNMENT + "SolveAssignment": solve,
        PLANNING + "CreatePlan": create,
        PLANNING + "GetPlan": pb.GetPlanRequest(name=NAME),
        PLANNING + "ListPlans": pb.ListPlansRequest(page_size=3, page_token="x", states=[3], fleet="demo"),
        PLANNING + "DiffPlans": pb.DiffPlansRequest(base=NAME, target=NAME),
        PLANNING + "WatchPlan": pb.WatchPlanRequest(name=NAME, after_sequence=3),
        PROFILES + "GetProfile": profile_service_pb2.GetProfileRequest(name="profiles/h100-sxm-80gb"),
        PROFILES + "ListProfiles": profile_service_pb2.ListProfilesRequest(page_size=3, page_token="x"),
        OPERATIONS + "GetOperation": op.GetOperationRequest(name=OPERATION),
        OPERATIONS + "ListOperations": op.ListOperationsRequest(name="operations", page_size=3),
        OPERATIONS + "CancelOperation": op.CancelOperationRequest(name=OPERATION),
        OPERATIONS + "DeleteOperation": op.DeleteOperationRequest(name=OPERATION),
        OPERATIONS + "WaitOperation": op.WaitOperationRequest(name=OPERATION),
    }


def mutate(source: random.Random, content: bytes) -> bytes:
    """A few random edits: flip, insert, delete, repeat, swap in what often breaks things."""
    awkward = [b"\xff", b"\x00", b"-1", b"1e999", b".nan", b"&a *a", b"!!python/object:os.system",
               b"{" * 90, b"../../etc/passwd", b"\xed\xa0\x80", b"\xf0\x9f\x94\xa5",
               b": ", b"\n- ", b"<<: ", b"9" * 50]  # fmt: skip
    data = bytearray(content)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        end = min(len(data), at + source.randint(0, 12))
        match source.randrange(5):
            case 0 if data:
                data[at % len(data)] ^= 1 << source.randrange(8)
            case 1:
                data[at:at] = source.choice(awkward)
            case 2:
                del data[at:end]
            case 3:
                data[at:at] = data[at:end] * source.randint(1, 20)
            case _:
                data[at:end] = source.randbytes(end - at)
    return bytes(data)


def outcome(channel, method, payload):
    """The status code of one call with raw bytes."""
    raw = {"request_serializer": bytes, "response_deserializer": bytes}
    try:
        if method.endswith(("WatchPlan", "SolveAssignment")):
            list(channel.unary_stream(method, **raw)(payload, timeout=DEADLINE_S))
        else:
            channel.unary_unary(method, **raw)(payload, timeout=DEADLINE_S)
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


def test_mutated_messages_are_answered(shared_server):
    source = random.Random(1)
    originals = {method: message.SerializeToString() for method, message in seeds().items()}
    for _ in range(COUNT):
        method = source.choice(sorted(originals))
        payload = mutate(source, originals[method])
        code = outcome(shared_server.channel, method, payload)
        assert code in REFUSALS | {grpc.StatusCode.OK}, (method, payload, code)
    assert shared_server.create(validate_only=True).done


@pytest.fixture
def real_server(start_server):
    return start_server(backend="planner.service.backend:PipelineBackend", check_s=3.0)


def test_mutated_documents_are_refused_or_checked(real_server):
    """With the real reader: a mutated document is good, or INVALID_ARGUMENT; never an internal error."""
    source = random.Random(2)
    inlined = read_fleet_file(EXAMPLE).self_contained.encode()
    for number in range(COUNT):
        document = mutate(source, source.choice([inlined, EXAMPLE.read_bytes()])).decode(errors="replace")
        request = planning_service_pb2.CreatePlanRequest(document=document, validate_only=True)
        code = outcome(real_server.channel, PLANNING + "CreatePlan", request.SerializeToString())
        assert code in {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}, (number, code, document)


def test_documents_made_to_exhaust_are_refused(real_server):
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "\n".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]" for i in range(12)
    )
    for document in (bomb, "[" * 100_000, "{a: " * 50_000, "a: &a [*a]", "- " * 1_000_000, "x" * 3_000_000):
        request = planning_service_pb2.CreatePlanRequest(document=document, validate_only=True)
        code = outcome(real_server.channel, PLANNING + "CreatePlan", request.SerializeToString())
        assert code == grpc.StatusCode.INVALID_ARGUMENT, document[:40]
    good = planning_service_pb2.CreatePlanRequest(
        document=read_fleet_file(EXAMPLE).self_contained, validate_only=True
    )
    assert real_server.planning.CreatePlan(good, timeout=60).done
