"""`fulcrum solve --server` and the client behind it, with the real solvers."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InvalidInput, Unavailable
from planner.cli.app import run
from planner.cli.exit_codes import ExitCode
from planner.fleet import read_fleet_file
from planner.options import PlanOptions
from planner.service.stream_client import StreamClient

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_a_problem_solved_there_is_the_one_solved_here(shared_real_server, tmp_path, capsys):
    problem = str(EXAMPLES / "problems" / "tasks_on_hosts.yaml")
    here, there = tmp_path / "here.json", tmp_path / "there.json"

    assert run(["solve", problem, "--out", str(here)]) == ExitCode.OK
    assert run(["solve", problem, "--server", shared_real_server.address, "--out", str(there)]) == ExitCode.OK

    assert there.read_bytes() == here.read_bytes()
    assert "tasks_on_hosts.yaml: optimal" in capsys.readouterr().out


def test_what_the_server_refuses_has_file_and_line(shared_real_server, tmp_path):
    problem = EXAMPLES / "problems" / "knapsack.yaml"
    with StreamClient(shared_real_server.address) as client, pytest.raises(InvalidInput) as caught:
        client.solve(problem.read_text().replace("goals:", "goal:"), source=str(problem))
    assert caught.value.source == str(problem)
    assert caught.value.line is not None

    with StreamClient(shared_real_server.address) as client, pytest.raises(InvalidInput, match="solver"):
        client.solve(problem.read_text(), solver="hgihs")


def test_progress_comes_and_a_server_that_is_away_is_unavailable(shared_real_server):
    phases = []
    text = (EXAMPLES / "problems" / "knapsack.yaml").read_text()
    with StreamClient(shared_real_server.address) as client:
        made = client.solve(text, progress=lambda progress: phases.append(progress.phase))
    assert (made["status"], phases[0]) == ("optimal", "waiting")

    with StreamClient("127.0.0.1:1") as client, pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        client.solve(text)


def test_what_if_over_the_line(shared_real_server):
    document = read_fleet_file(EXAMPLES / "one_model.yaml").self_contained
    options = PlanOptions(verify=False, time_limit_s=60.0)
    with StreamClient(shared_real_server.address) as client:
        found = client.what_if(document, {"nodes": ["h100=2"]}, options=options)
    assert found["changes"] == ["nodes of h100 2"]
    assert found["before"]["state"] == found["after"]["state"] == "optimal"


def test_the_limit_of_moves_is_for_problems_solved_here(shared_real_server):
    problem = str(EXAMPLES / "problems" / "tasks_on_hosts.yaml")
    arguments = ["solve", problem, "--server", shared_real_server.address, "--max-moves", "1"]
    assert run(arguments) == ExitCode.BAD_INPUT
