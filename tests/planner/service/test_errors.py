"""What a caller gets when something is wrong, over a real socket."""

from __future__ import annotations

import grpc
import pytest
from google.longrunning import operations_pb2
from google.rpc import code_pb2, error_details_pb2
from grpc_status import rpc_status

from models.document import InvalidDocument
from models.errors import InvalidInput, SolverFailed, Unavailable, UnknownName, Unsupported
from planner.service.create_request import PlanLimits
from planner.service.errors import status_of
from planner.service.gen.fulcrum.v1 import plan_pb2, planning_service_pb2
from planner.service.gen.fulcrum.v1.plan_pb2 import Plan


def details(status):
    """ErrorInfo, and the violations as (field, description)."""
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
    return info, [(v.field, v.description) for v in bad.field_violations]


def refused(call):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return rpc_status.from_call(caught.value)


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (InvalidInput("x"), code_pb2.INVALID_ARGUMENT, "INVALID_INPUT"),
        (UnknownName("GPU", "x", ["y"]), code_pb2.INVALID_ARGUMENT, "UNKNOWN_NAME"),
        (Unsupported("x"), code_pb2.UNIMPLEMENTED, "UNSUPPORTED"),
        (Unavailable("x"), code_pb2.FAILED_PRECONDITION, "SERVER_LACKS_SOMETHING"),
        (SolverFailed("x"), code_pb2.INTERNAL, "SOLVER_FAILED"),
    ],
)
def test_each_error_has_its_code_and_reason(error, code, reason):
    status = status_of(error)

    assert status.code == code
    assert details(status)[0].reason == reason
    assert details(status)[0].domain == "fulcrum.dev"


def test_what_nobody_foresaw_tells_nothing():
    status = status_of(RuntimeError("password"))

    assert status.code == code_pb2.INTERNAL
    assert b"password" not in status.SerializeToString()


def test_all_violations_come_at_once():
    error = InvalidDocument(
        [
            InvalidInput("too small", path=("pools", 0, "nodes"), line=4),
            UnknownName("GPU", "h10", ["h100"], path=("pools", 1, "gpu"), line=9),
        ]
    )

    assert details(status_of(error))[1] == [
        ("document.pools[0].nodes", "line 4: too small"),
        ("document.pools[1].gpu", "line 9: unknown GPU 'h10'; did you mean 'h100'?"),
    ]


def test_a_thousand_violations_fit_in_the_trailers():
    """Clients take 8 KiB of trailers; the message is in them twice, once percent-encoded."""
    faults = [InvalidInput("💥" * 300, path=("pools", i, "🔥" * 300), line=i) for i in range(1000)]

    status = status_of(InvalidDocument(faults))

    assert 4 / 3 * status.ByteSize() + 3 * len(status.message.encode()) < 8000
    violations = details(status)[1]
    assert len(violations) > 2
    assert violations[-1] == ("document", f"and {1000 - len(violations) + 1} more")


def test_a_bad_document_is_refused_at_once_and_not_stored(server):
    status = refused(lambda: server.create("fleet: demo\ngpu: h200"))

    assert status.code == code_pb2.INVALID_ARGUMENT
    info, violations = details(status)
    assert info.metadata["name"] == "h200"
    assert violations == [("document.pools[0].gpu", "line 2: unknown GPU 'h200'; known: h100-sxm-80gb")]
    assert not server.planning.ListPlans(planning_service_pb2.ListPlansRequest(), timeout=10).plans


def _options(**durations):
    options = plan_pb2.PlanOptions(
        thread_count=durations.pop("threads", 0), seed=durations.pop("seed", 0),
        confidence=durations.pop("confidence", None),
    )  # fmt: skip
    for name, seconds in durations.items():
        getattr(options, name).FromMilliseconds(round(seconds * 1000))
    return {"options": options}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"document": " "}, "document"),
        ({"document": "x" * (4 * 2**20 + 1)}, "document"),
        ({"request_id": "with blank"}, "request_id"),
        ({"request_id": "x" * 65}, "request_id"),
        (_options(time_limit=0), "options.time_limit"),
        (_options(time_limit=-1), "options.time_limit"),
        (_options(time_limit=1e6), "options.time_limit"),
        (_options(threads=-1), "options.thread_count"),
        (_options(threads=1000), "options.thread_count"),
        (_options(seed=-1), "options.seed"),
        (_options(confidence=1.0), "options.confidence"),
        (_options(deadline=1), "options.deadline"),
        ({"current_plan": "plans/x"}, "current_plan"),
        ({"current_plan_json": "{}"}, "current_plan_json"),
    ],
)
def test_a_bad_request_names_its_field(shared_server, fields, field):
    status = refused(lambda: shared_server.create(**fields))

    assert status.code == code_pb2.INVALID_ARGUMENT
    assert {name.partition(".")[0] if "." not in field else name for name, _ in details(status)[1]} == {field}


def test_unknown_resources_are_not_found(shared_server):
    nobody = "0" * 32
    get = planning_service_pb2.GetPlanRequest(name=f"plans/{nobody}")
    operation = operations_pb2.GetOperationRequest(name=f"operations/{nobody}")

    assert refused(lambda: shared_server.planning.GetPlan(get, timeout=10)).code == code_pb2.NOT_FOUND
    assert (
        refused(lambda: shared_server.operations.GetOperation(operation, timeout=10)).code
        == code_pb2.NOT_FOUND
    )
    assert refused(lambda: shared_server.create(current_plan=f"plans/{nobody}")).code == code_pb2.NOT_FOUND


@pytest.mark.parametrize("name", ["", "plans/", "plans/../../etc/passwd", "operations/" + "0" * 32, "0" * 32])
def test_a_bad_name_is_refused(shared_server, name):
    get = planning_service_pb2.GetPlanRequest(name=name)

    assert refused(lambda: shared_server.planning.GetPlan(get, timeout=10)).code == code_pb2.INVALID_ARGUMENT


def test_bad_pages_are_refused(server):
    server.create()
    server.create()
    request = planning_service_pb2.ListPlansRequest
    token = server.planning.ListPlans(request(page_size=1), timeout=10).next_page_token

    for fields in (
        {"page_size": -1},
        {"page_token": "x"},
        {"page_token": token[:-3]},
        {"page_token": token, "fleet": "other"},
        {"states": [99]},
    ):
        status = refused(lambda fields=fields: server.planning.ListPlans(request(**fields), timeout=10))
        assert status.code == code_pb2.INVALID_ARGUMENT, fields


@pytest.mark.parametrize(
    ("script", "reason"),
    [("break", "SOLVER_FAILED"), ("surprise", "INTERNAL"), ("die", "WORKER_DIED")],
)
def test_a_plan_that_fails_says_so_and_the_next_one_works(shared_server, script, reason):
    done = shared_server.wait(shared_server.create(f"{{fleet: demo, then: {script}}}"))

    assert done.WhichOneof("result") == "error"
    assert details(done.error)[0].reason == reason
    assert "secret detail" not in str(done)
    assert shared_server.plan(done).state == Plan.STATE_FAILED
    assert shared_server.wait(shared_server.create()).WhichOneof("result") == "response"


def test_a_tenant_with_too_many_plans_is_told_to_come_back(start_server):
    server = start_server(limits=PlanLimits(waiting_count=2))
    server.create("{fleet: demo, pause_s: 600}")
    last = server.create("{fleet: demo, pause_s: 600}", request_id="same")

    status = refused(server.create)

    assert status.code == code_pb2.RESOURCE_EXHAUSTED
    quota, retry = error_details_pb2.QuotaFailure(), error_details_pb2.RetryInfo()
    assert [detail.Unpack(quota) for detail in status.details].count(True) == 1
    assert [detail.Unpack(retry) for detail in status.details].count(True) == 1
    assert quota.violations[0].subject == "default"
    assert retry.retry_delay.seconds > 0
    assert server.create("{fleet: demo, pause_s: 600}", request_id="same").name == last.name
