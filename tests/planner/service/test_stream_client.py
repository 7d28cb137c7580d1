"""`fulcrum solve --server` and the client behind it, with the real solvers."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.errors import InvalidInput, Unavailable
from planner.cli.app import run
from planner.cli.exit_codes import ExitCode
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


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_if_says_the_same_here_and_there(shared_real_server, capsys, form):
    asked = ["what-if", str(EXAMPLES / "one_model.yaml"), "--nodes", "h100=2", "--no-verify", *form]

    assert run(asked) == ExitCode.OK
    here = capsys.readouterr().out
    assert run([*asked, "--server", shared_real_server.address]) == ExitCode.OK

    assert capsys.readouterr().out == here
    assert "nodes of h100 2" in here


def test_a_sweep_is_made_here(shared_real_server):
    asked = ["what-if", str(EXAMPLES / "one_model.yaml"), "--nodes", "h100=2", "--each"]
    assert run([*asked, "--server", shared_real_server.address]) == ExitCode.BAD_INPUT


def test_the_limit_of_moves_is_for_problems_solved_here(shared_real_server):
    problem = str(EXAMPLES / "problems" / "tasks_on_hosts.yaml")
    arguments = ["solve", problem, "--server", shared_real_server.address, "--max-moves", "1"]
    assert run(arguments) == ExitCode.BAD_INPUT


def test_confidence_reaches_the_server(shared_real_server, tmp_path):
    asked = ["plan", str(EXAMPLES / "one_model.yaml"), "--no-verify", "--confidence", "0.95"]
    here, there, plain = (tmp_path / name for name in ("here.json", "there.json", "plain.json"))

    assert run([*asked, "--out", str(here)]) == ExitCode.OK
    assert run([*asked, "--server", shared_real_server.address, "--out", str(there)]) == ExitCode.OK
    assert run([*asked[:-2], "--out", str(plain)]) == ExitCode.OK

    assert there.read_bytes() == here.read_bytes() != plain.read_bytes()


def test_a_plan_is_explained_the_same_here_and_there(shared_real_server, capsys):
    asked = ["plan", str(EXAMPLES / "one_model.yaml"), "--no-verify", "--explain"]

    assert run(asked) == ExitCode.OK
    here = capsys.readouterr().out
    assert run([*asked, "--server", shared_real_server.address]) == ExitCode.OK

    assert capsys.readouterr().out == here
    assert "why chat" in here
    assert "one more node of h100" in here
