"""FleetService over a real socket."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf import duration_pb2
from grpc_status import rpc_status

from planner.service.protos import code_pb2, error_details_pb2, fleet_service_pb2, fleet_service_pb2_grpc


@pytest.fixture
def fleets(server):
    return fleet_service_pb2_grpc.FleetServiceStub(server.channel)


def refusal(call) -> tuple[int, str]:
    """Code and reason of a call that is refused."""
    with pytest.raises(grpc.RpcError) as error:
        call()
    status = rpc_status.from_call(error.value)
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    return status.code, info.reason


def made(server, document: str = "fleet: demo") -> str:
    operation = server.create(document)
    server.wait(operation)
    return operation.name.replace("operations/", "plans/")


def promote(fleets, plan: str, **fields):
    request = fleet_service_pb2.PromotePlanRequest(name="fleets/demo", plan=plan, **fields)
    return fleets.PromotePlan(request, timeout=10)


def test_from_registration_to_roll_back(server, fleets) -> None:
    registered = fleets.RegisterFleet(
        fleet_service_pb2.RegisterFleetRequest(document="fleet: demo"), timeout=10
    )
    assert (registered.name, registered.promoted_plan) == ("fleets/demo", "")
    one, two = made(server), made(server)
    assert promote(fleets, one, reason="first").promoted_plan == one
    after = promote(
        fleets, two, etag=fleets.GetFleet(fleet_service_pb2.GetFleetRequest(name="fleets/demo")).etag
    )
    assert after.promoted_plan == two
    back = fleets.RollBackFleet(fleet_service_pb2.RollBackFleetRequest(name="fleets/demo", reason="slow"))
    assert back.promoted_plan == one
    history = []
    token = ""
    while True:
        page = fleets.ListPromotions(
            fleet_service_pb2.ListPromotionsRequest(parent="fleets/demo", page_size=2, page_token=token)
        )
        history += page.promotions
        token = page.next_page_token
        if not token:
            break
    assert [(p.sequence, p.plan, p.reason) for p in history] == [
        (3, one, "slow"),
        (2, two, ""),
        (1, one, "first"),
    ]
    assert [p.kind for p in history] == [2, 1, 1]
    (listed,) = fleets.ListFleets(fleet_service_pb2.ListFleetsRequest()).fleets
    assert (listed.name, listed.document, listed.promoted_plan) == ("fleets/demo", "", one)


def test_what_is_refused_and_how(server, fleets) -> None:
    fleets.RegisterFleet(fleet_service_pb2.RegisterFleetRequest(document="fleet: demo"), timeout=10)
    plan = made(server)
    get = fleet_service_pb2.GetFleetRequest
    assert refusal(lambda: fleets.GetFleet(get(name="fleets/none"))) == (
        code_pb2.NOT_FOUND,
        "RESOURCE_NOT_FOUND",
    )
    assert refusal(lambda: fleets.GetFleet(get(name="demo")))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(lambda: promote(fleets, plan, etag="r7")) == (code_pb2.ABORTED, "ETAG_MISMATCH")
    assert refusal(lambda: promote(fleets, plan, etag="x"))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(lambda: promote(fleets, "plans/" + "0" * 32)) == (
        code_pb2.INVALID_ARGUMENT,
        "NOT_PROMOTABLE",
    )
    assert refusal(lambda: promote(fleets, plan, reason="x" * 501))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(
        lambda: fleets.RollBackFleet(fleet_service_pb2.RollBackFleetRequest(name="fleets/demo"))
    ) == (code_pb2.INVALID_ARGUMENT, "NOT_PROMOTABLE")


def test_the_lease_keeps_others_out(server, fleets) -> None:
    fleets.RegisterFleet(fleet_service_pb2.RegisterFleetRequest(document="fleet: demo"), timeout=10)
    plan = made(server)

    def acquire(holder: str, seconds: int = 60):
        return fleets.AcquireFleetLease(
            fleet_service_pb2.AcquireFleetLeaseRequest(
                name="fleets/demo", holder=holder, duration=duration_pb2.Duration(seconds=seconds)
            )
        )

    held = acquire("job-1")
    assert held.lease_holder == "job-1"
    assert held.HasField("lease_expire_time")
    assert refusal(lambda: acquire("job-2")) == (code_pb2.FAILED_PRECONDITION, "LEASED")
    assert refusal(lambda: promote(fleets, plan)) == (code_pb2.FAILED_PRECONDITION, "LEASED")
    assert promote(fleets, plan, lease_holder="job-1").promoted_plan == plan
    assert refusal(lambda: acquire("job-1", 0))[0] == code_pb2.INVALID_ARGUMENT
    assert refusal(lambda: acquire("with blank"))[0] == code_pb2.INVALID_ARGUMENT
    released = fleets.ReleaseFleetLease(
        fleet_service_pb2.ReleaseFleetLeaseRequest(name="fleets/demo", holder="job-1")
    )
    assert released.lease_holder == ""
    assert acquire("job-2").lease_holder == "job-2"
