"""The thin client package, in a process that has no planner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from planner.service.gen.fulcrum.v1.assignment_service_pb2 import AssignmentAnswer
from planner.service.gen.fulcrum.v1.plan_pb2 import Plan

CLIENT = Path(__file__).parents[3] / "clients" / "python"

SCRIPT = """
import json, sys
sys.path.insert(0, sys.argv[2])
from fulcrum_client import Client
with Client(sys.argv[1]) as client:
    name = client.create_plan("{fleet: demo, steps: 3, pause_s: 0.05}", seed=3, time_limit_s=20)
    events = list(client.watch_plan(name))
    plan = client.get_plan(name)
    cancelled = client.create_plan("{fleet: demo, pause_s: 600}")
    client.cancel_plan(cancelled)
    *steps, last = client.solve_assignment("{fleet: demo, steps: 2, pause_s: 0.05}", time_limit_s=5)
    result = {
        "kinds": [event.WhichOneof("event") for event in events],
        "sequences": [e.progress.sequence for e in events if e.WhichOneof("event") == "progress"],
        "state": plan.state,
        "seed": plan.options.seed,
        "gpus": [list(stage.gpu_indices) for stage in plan.instances[0].stages],
        "same": events[-1].plan == plan,
        "cancelled": client.wait_plan(cancelled).state,
        "listed": [item.name for item in client.list_plans(page_size=1)] == [cancelled, name],
        "solved": [last.answer.state, json.loads(last.answer.json)["time_limit_s"], steps[0].progress.phase],
        "foreign": sorted(m for m in sys.modules if m.split(".")[0] in ("planner", "models", "pydantic")
                          or m.startswith(("google.api", "google.rpc", "google.longrunning"))),
    }
print(json.dumps(result))
"""


ENGINE = """
import json, sys
sys.path.insert(0, sys.argv[2])
from fulcrum_client import Client, Engine, messages
with Client(sys.argv[1]) as client:
    register = messages["fulcrum.v1.RegisterFleetRequest"](document="fleet: demo")
    client.call("/fulcrum.v1.FleetService/RegisterFleet", register, "fulcrum.v1.Fleet")
    name = client.create_plan("fleet: demo")
    client.wait_plan(name)
    promote = messages["fulcrum.v1.PromotePlanRequest"](name="fleets/demo", plan=name)
    client.call("/fulcrum.v1.FleetService/PromotePlan", promote, "fulcrum.v1.Fleet")
    engines = [Engine(client, "demo", f"e{i}", node=node, labels={"rack": "7"})
               for i, node in enumerate(("h100/r0/n0", "h100/r1/n2"))]
    done = []
    for step in (0, 1):
        for engine in engines:
            assignment = next(a for a in engine.assignments() if [s.step.index for s in a.steps] == [step])
            engine.acknowledge(assignment.generation, step, "started")
            done.append(engine.acknowledge(assignment.generation, step, "done").rollout_state)
    sample = {"instance_id": "chat-mixed-0@1", "window": {"seconds": 10}, "request_count": 5}
    sample = messages["fulcrum.v1.LoadSample"](**sample)
    sample.end_time.GetCurrentTime()
    discarded = engines[0].report([sample], {"chat-mixed-0@1": "ready"})
    engines[1].delete()
print(json.dumps([done, discarded, assignment.instances[0].instance.engine]))
"""


def run_without_a_planner(script, server, folder):
    """What a script prints that is run with the client package alone."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script, server.address, str(CLIENT)],
        check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_engine_needs_no_planner_either(server, tmp_path):
    states, discarded, engine = run_without_a_planner(ENGINE, server, tmp_path)

    assert states == [1, 1, 1, 2]
    assert discarded == []
    assert engine == "vllm"


def test_the_client_needs_grpcio_and_protobuf_only(server, tmp_path):
    assert run_without_a_planner(SCRIPT, server, tmp_path) == {
        "kinds": ["plan", "progress", "progress", "progress", "plan"],
        "sequences": [1, 2, 3],
        "state": Plan.STATE_OPTIMAL,
        "seed": 3,
        "gpus": [[0, 1], [4, 5]],
        "same": True,
        "cancelled": Plan.STATE_CANCELLED,
        "listed": True,
        "solved": [AssignmentAnswer.STATE_OPTIMAL, 5.0, "waiting"],
        "foreign": [],
    }
