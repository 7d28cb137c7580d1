"""Whatever tenants do, none sees a name of another, nor learns that it exists."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import grpc
import pytest
from google.longrunning import operations_pb2, operations_pb2_grpc
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.service.gen.fulcrum.v1 import (
    fleet_service_pb2,
    fleet_service_pb2_grpc,
    planning_service_pb2,
    planning_service_pb2_grpc,
)

TENANTS = ("red", "green", "blue")
KNOWN = defaultdict(set)
"""Names by tenant, over all examples: the server is one."""


@pytest.fixture(scope="module")
def guarded(start_servers_of_the_module, tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens.yaml"
    digests = {tenant: hashlib.sha256(tenant.encode()).hexdigest() for tenant in TENANTS}
    lines = [f"  - {{name: {t}, tenant: {t}, role: operator, sha256: {d}}}" for t, d in digests.items()]
    path.write_text("tokens:\n" + "\n".join(lines) + "\n")
    return start_servers_of_the_module(tokens=path)


def who(tenant):
    return {"metadata": (("authorization", f"Bearer {tenant}"),), "timeout": 30}


def refusal(call):
    """(code, text) of a call that must be refused."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(TENANTS), st.sampled_from(["plan", "fleet"]), st.sampled_from("abc")),
        min_size=1,
        max_size=6,
    ),
    asker=st.sampled_from(TENANTS),
)
def test_no_tenant_sees_names_of_another(guarded, steps, asker):
    planning = planning_service_pb2_grpc.PlanningServiceStub(guarded.channel)
    fleets = fleet_service_pb2_grpc.FleetServiceStub(guarded.channel)
    operations = operations_pb2_grpc.OperationsStub(guarded.channel)
    pb, fp, op = planning_service_pb2, fleet_service_pb2, operations_pb2
    for tenant, what, letter in steps:
        document = f"fleet: {letter}-{tenant}"
        if what == "plan":
            made = planning.CreatePlan(pb.CreatePlanRequest(document=document), **who(tenant)).name
            KNOWN[tenant] |= {made, made.replace("operations/", "plans/")}
        else:
            KNOWN[tenant].add(
                fleets.RegisterFleet(fp.RegisterFleetRequest(document=document), **who(tenant)).name
            )

    listed = {
        plan.name for plan in planning.ListPlans(pb.ListPlansRequest(page_size=1000), **who(asker)).plans
    }
    listed |= {fleet.name for fleet in fleets.ListFleets(fp.ListFleetsRequest(), **who(asker)).fleets}
    page = operations.ListOperations(op.ListOperationsRequest(page_size=100), **who(asker))
    assert listed <= KNOWN[asker]
    assert {operation.name for operation in page.operations} <= KNOWN[asker]

    calls = {
        "plans": [
            lambda name: planning.GetPlan(pb.GetPlanRequest(name=name), **who(asker)),
            lambda name: list(planning.WatchPlan(pb.WatchPlanRequest(name=name), **who(asker))),
            lambda name: planning.DiffPlans(pb.DiffPlansRequest(base=name, target=name), **who(asker)),
        ],
        "operations": [
            lambda name: operations.GetOperation(op.GetOperationRequest(name=name), **who(asker)),
            lambda name: operations.CancelOperation(op.CancelOperationRequest(name=name), **who(asker)),
        ],
        "fleets": [
            lambda name: fleets.GetFleet(fp.GetFleetRequest(name=name), **who(asker)),
            lambda name: fleets.ListPromotions(fp.ListPromotionsRequest(parent=name), **who(asker)),
        ],
    }
    foreign = [name for tenant in TENANTS if tenant != asker for name in sorted(KNOWN[tenant])][-6:]
    for name in foreign:
        kind, _, rest = name.partition("/")
        nobody = f"{kind}/{'0' * 32}"  # which no tenant has
        for call in calls[kind]:
            code, text = refusal(lambda call=call, name=name: call(name))
            assert code == grpc.StatusCode.NOT_FOUND
            unknown = refusal(lambda call=call, name=nobody: call(name))
            assert (code, text.replace(rest, "")) == (unknown[0], unknown[1].replace("0" * 32, ""))
