"""DiffPlans over a real socket."""

from __future__ import annotations

import grpc
import pytest

from planner.service.gen.fulcrum.v1 import plan_pb2, planning_service_pb2


def finished(server, document):
    return server.wait(server.create(document)).name.replace("operations/", "plans/")


def test_a_diff_says_what_moves_and_what_it_costs(shared_server):
    base = finished(shared_server, "fleet: demo")
    target = finished(shared_server, "{fleet: demo, node: 3, price: 12.5}")

    request = planning_service_pb2.DiffPlansRequest(base=base, target=target)
    diff = shared_server.planning.DiffPlans(request, timeout=30)

    [move] = diff.moves
    assert move.action == plan_pb2.Move.ACTION_MOVE
    assert [stage.node for stage in move.from_stages] == ["h100/r0/n0", "h100/r1/n2"]
    assert [stage.node for stage in move.to_stages] == ["h100/r0/n0", "h100/r1/n3"]
    assert diff.unchanged_count == 0
    assert diff.price_per_hour_change == 2.5


def test_a_plan_does_not_differ_from_itself(shared_server):
    name = finished(shared_server, "fleet: demo")

    diff = shared_server.planning.DiffPlans(
        planning_service_pb2.DiffPlansRequest(base=name, target=name), timeout=30
    )

    assert (len(diff.moves), diff.unchanged_count, diff.price_per_hour_change) == (0, 1, 0.0)


def test_a_plan_without_instances_cannot_be_compared(shared_server):
    name = finished(shared_server, "fleet: demo")
    other = finished(shared_server, "{fleet: demo, state: infeasible}")

    with pytest.raises(grpc.RpcError, match=r"target: .* has no instances: it is infeasible"):
        shared_server.planning.DiffPlans(
            planning_service_pb2.DiffPlansRequest(base=name, target=other), timeout=30
        )
