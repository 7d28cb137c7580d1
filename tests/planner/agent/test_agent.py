from __future__ import annotations

import pytest

from models.errors import InvalidInput
from planner.agent.agent import describe
from planner.agent.config import AgentConfig, Timing
from planner.cli.app import run


def test_a_dry_run_says_what_would_run(config, assigned, assignment) -> None:
    chat = assigned()
    chat.launch.environment["CUDA_VISIBLE_DEVICES"] = "0,1"
    lost = assigned("lost@1")
    del lost.launch.command[:]
    said = describe(assignment(chat, lost, steps=[(3, 1, "chat-0@1")]), config)
    lines = said.splitlines()
    assert lines[0] == "generation 1: nothing is promoted"
    assert lines[1] == "  chat-0@1: loaded on GPUs 0,1"
    assert lines[2].strip().startswith("CUDA_VISIBLE_DEVICES=0,1 FAKE_ENGINE= ")
    assert "no command is known" in lines[4]
    assert lines[-1] == "  step 3: load chat-0@1"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--gpus", "0-3"], "--gpus takes indices"),
        (["--template", "docker run"], "must have {command}"),
        (["--run", "--once"], "--once is for the dry run"),
        (["--log-level", "loud"], "unknown log level"),
        (["--report", "5 apples"], "apples"),
    ],
)
def test_wrong_usage_is_told(words, why, capsys) -> None:
    assert run(["agent", "--fleet", "demo", "--node", "p/r0/n0", *words]) == 1
    assert why in capsys.readouterr().err


def test_reports_must_keep_the_lease() -> None:
    with pytest.raises(InvalidInput, match="twice as long"):
        Timing(report=20.0, lease=30.0)
    assert AgentConfig(fleet="f", engine_id="e", node="n").timing.lease == 30.0
