"""ExplainPlan and WhatIf: with the real planner, and with scripted workers for what lies around it."""

from __future__ import annotations

import json
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from planner.cli.app import run
from planner.fleet import read_fleet_file
from planner.service.gen.fulcrum.v1 import plan_pb2, planning_service_pb2
from planner.service.gen.fulcrum.v1.plan_pb2 import Plan

EXAMPLE = Path(__file__).parents[3] / "examples" / "one_model.yaml"
pb = planning_service_pb2


def what_if(server, timeout=60, **fields):
    """(progress events, comparison) of one call."""
    responses = list(server.planning.WhatIf(pb.WhatIfRequest(**fields), timeout=timeout))
    assert [response.WhichOneof("event") for response in responses[:-1]] == ["progress"] * (
        len(responses) - 1
    )
    return [response.progress for response in responses[:-1]], responses[-1].comparison


def refusal(call):
    """(code, field of the first violation, or "")."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    details = error_details_pb2.BadRequest()
    for detail in rpc_status.from_call(caught.value).details:
        if detail.Unpack(details):
            return caught.value.code(), details.field_violations[0].field
    return caught.value.code(), ""


def test_a_plan_is_explained_and_changed_as_on_the_command_line(shared_real_server, capsys):
    server = shared_real_server
    document = read_fleet_file(EXAMPLE).self_contained
    options = plan_pb2.PlanOptions(skip_verification=True)
    done = server.wait(server.create(document, options=options), timeout=60)
    name = done.name.replace("operations/", "plans/")

    responses = list(server.planning.ExplainPlan(pb.ExplainPlanRequest(name=name), timeout=60))
    assert responses[0].progress.phase == "waiting"
    explanation = responses[-1].explanation
    assert [workload.workload for workload in explanation.workloads] == ["chat"]
    assert any("refused for" in sentence for sentence in explanation.workloads[0].sentences)
    assert any(sentence.startswith("chat without the shapes it has") for sentence in explanation.alternatives)
    assert [worth.pool for worth in explanation.node_worths] == ["h100"]

    progress, found = what_if(server, plan=name, changes=pb.FleetChanges(demand=["chat=x2"]), options=options)
    assert progress[0].phase == "waiting"
    assert (found.before_state, found.after_state) == (Plan.STATE_OPTIMAL, Plan.STATE_OPTIMAL)
    assert run(["what-if", str(EXAMPLE), "--demand", "chat=x2", "--no-verify", "--json"]) == 0
    assert json.loads(found.json) == json.loads(capsys.readouterr().out)


def test_what_is_wrong_with_the_question_is_told(shared_server):
    change = pb.FleetChanges(demand=["chat=x2"])
    unfinished = shared_server.create("{fleet: demo, steps: 1, then: break}")
    failed = shared_server.wait(unfinished).name.replace("operations/", "plans/")
    nobody = "plans/" + "0" * 32
    planning = shared_server.planning
    invalid, missing = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND

    def ask(**fields):
        return refusal(lambda: what_if(shared_server, **fields))

    def explain(**fields):
        return refusal(lambda: list(planning.ExplainPlan(pb.ExplainPlanRequest(**fields), timeout=30)))

    assert ask(changes=change) == (invalid, "document")
    assert ask(document="gpu: x", changes=change) == (invalid, "document.fleet")
    assert ask(document="fleet: demo") == (invalid, "changes")
    assert ask(document="fleet: demo", changes=pb.FleetChanges(nodes=["h100"])) == (invalid, "changes")
    assert ask(document="fleet: demo", changes=pb.FleetChanges(swaps=["a=b"] * 101)) == (invalid, "changes")
    assert ask(plan=nobody, changes=change)[0] == missing
    assert explain(name=nobody)[0] == missing
    assert explain(name=failed) == (invalid, "name")
    limited = pb.ExplainPlanRequest(name=failed)
    limited.time_limit.FromSeconds(10**6)
    assert refusal(lambda: list(planning.ExplainPlan(limited, timeout=30)))[0] == invalid


def test_a_lost_call_stops_the_work_and_a_deadline_reaches_it(shared_server):
    change = pb.FleetChanges(demand=["chat=x2"])
    _, found = what_if(shared_server, 6, document="{fleet: demo, pause_s: 600}", changes=change)
    assert found.after_state == Plan.STATE_FEASIBLE, (
        "it ended with what it had before the deadline of the call"
    )

    request = pb.WhatIfRequest(document="{fleet: demo, steps: 100, pause_s: 600}", changes=change)
    call = shared_server.planning.WhatIf(request, timeout=60)
    assert next(call).progress.phase == "waiting"
    assert next(call).progress.phase == "step 0"
    call.cancel()

    assert shared_server.wait(shared_server.create("fleet: next"), timeout=20).done, (
        "the worker is free again"
    )
