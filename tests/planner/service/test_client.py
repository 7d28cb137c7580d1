"""PlanClient against a real server."""

from __future__ import annotations

import threading

import pytest

from models.document import InvalidDocument
from models.errors import InvalidInput, SolverFailed, Unavailable
from planner.options import PlanOptions
from planner.plan import Plan
from planner.service.client import PlanClient


def test_a_plan_comes_back_whole_with_its_progress(shared_server):
    events = []

    with PlanClient(shared_server.address) as client:
        plan = client.create_plan("{fleet: demo, steps: 3, pause_s: 0.01}", progress=events.append)

    assert isinstance(plan, Plan)
    assert plan.state == "optimal"
    assert [event.phase for event in events] == ["step 0", "step 1", "step 2"]
    assert [event.bound for event in events] == [0.0, 1.0, 2.0]


def test_options_and_current_plan_reach_the_server(shared_server):
    with PlanClient(shared_server.address) as client:
        current = client.create_plan("fleet: demo", options=PlanOptions(seed=5))
        limited = client.create_plan(
            "{fleet: demo, steps: 1, pause_s: 600}", options=PlanOptions(time_limit_s=0.2), current=current
        )

    assert current.seed == 5
    assert limited.state == "feasible"


def test_a_bad_document_names_place_and_line(shared_server):
    with PlanClient(shared_server.address) as client, pytest.raises(InvalidInput) as refused:
        client.create_plan("fleet: demo\ngpu: h200\n", source="fleet.yaml")

    assert not isinstance(refused.value, InvalidDocument)
    assert (refused.value.path, refused.value.line) == (("pools", 0, "gpu"), 2)
    assert str(refused.value).startswith("fleet.yaml:2: pools[0].gpu: unknown GPU 'h200'")


def test_a_failed_plan_is_an_error(shared_server):
    with PlanClient(shared_server.address) as client, pytest.raises(SolverFailed, match="lost its way"):
        client.create_plan("{fleet: demo, then: break}")


def test_an_unreachable_server_is_named():
    with (
        PlanClient("127.0.0.1:1", patience_s=0.3) as client,
        pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"),
    ):
        client.create_plan("fleet: demo")


def test_the_client_outlives_a_restart_of_the_server(start_server):
    first = start_server()
    address, port = first.address, first.server.port
    events, result = [], []
    halfway = threading.Event()

    def on_progress(event):
        events.append(event.phase)
        halfway.set()

    def run():
        with PlanClient(address) as client:
            result.append(client.create_plan("{fleet: demo, steps: 4, pause_s: 0.3}", progress=on_progress))

    thread = threading.Thread(target=run)
    thread.start()
    assert halfway.wait(20)
    first.stop()
    start_server(listen=f"127.0.0.1:{port}")
    thread.join(60)

    assert result[0].state == "optimal"
    assert events[-4:] == ["step 0", "step 1", "step 2", "step 3"]
