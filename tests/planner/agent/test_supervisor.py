"""A node led from one assignment to the next, with real processes."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from dataclasses import replace

import pytest

from planner.agent.supervisor import Said, Supervisor

LOADED, SERVING, DRAINING = 1, 2, 3
LOAD, SWITCH, DRAIN, RETIRE = 1, 2, 4, 6


class Node:
    """A supervisor and what it said."""

    def __init__(self, config) -> None:
        self.said: list[Said] = []
        self.supervisor = Supervisor(config, self._say)

    def _say(self, said: Said) -> None:
        if said not in self.said:
            self.said.append(said)

    def assign(self, assignment) -> None:
        self.supervisor.assign(assignment, time.monotonic())

    def until(self, done, within_s: float = 15.0) -> None:
        end = time.monotonic() + within_s
        while not done():
            assert time.monotonic() < end, (self.said, self.supervisor.statuses())
            self.supervisor.tick(time.monotonic())
            time.sleep(0.02)

    def outcomes(self, step: int) -> list[str]:
        return [said.outcome for said in self.said if said.step == step]

    def pids(self) -> dict[str, int]:
        slots = self.supervisor.slots.values()
        return {slot.id: slot.process.pid for slot in slots if slot.process is not None}

    def kill(self) -> None:
        for slot in self.supervisor.slots.values():
            if slot.process is not None:
                slot.process.signal(signal.SIGKILL)
                while slot.process.alive():
                    time.sleep(0.01)


@pytest.fixture
def node(config):
    made = Node(config)
    yield made
    made.kill()


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_from_load_to_retirement(node, assigned, assignment) -> None:
    chat = assigned()
    node.assign(assignment(chat, steps=[(0, LOAD, chat.instance_id)]))
    node.until(lambda: node.outcomes(0) == ["started", "done"])
    pid = node.pids()[chat.instance_id]
    chat.desired = SERVING
    node.assign(assignment(chat, steps=[(1, SWITCH, chat.instance_id)]))
    node.until(lambda: node.outcomes(1) == ["done"])
    assert node.pids()[chat.instance_id] == pid
    chat.desired = DRAINING
    node.assign(assignment(chat, steps=[(2, DRAIN, chat.instance_id)]))
    node.until(lambda: "done" in node.outcomes(2))
    assert runs(pid)
    node.assign(assignment(steps=[(3, RETIRE, chat.instance_id)]))
    node.until(lambda: node.outcomes(3) == ["started", "done"])
    assert node.supervisor.empty
    assert not runs(pid)


def test_a_start_waits_until_its_gpus_are_free(node, assigned, assignment) -> None:
    old, new = assigned("old@1", SERVING), assigned("new@2", LOADED, gpus=(1, 2))
    node.assign(assignment(old, steps=[(0, LOAD, "old@1")]))
    node.until(lambda: "done" in node.outcomes(0))
    node.assign(assignment(old, new, steps=[(1, LOAD, "new@2")]))
    for _ in range(10):
        node.supervisor.tick(time.monotonic())
    assert set(node.pids()) == {"old@1"}
    node.assign(assignment(new, steps=[(1, LOAD, "new@2")]))
    node.until(lambda: "done" in node.outcomes(1))
    assert set(node.pids()) == {"new@2"}


def test_an_engine_that_crashes_later_is_started_again(node, assigned, assignment) -> None:
    chat = assigned(desired=SERVING)
    node.assign(assignment(chat, steps=[(0, LOAD, chat.instance_id)]))
    node.until(lambda: "done" in node.outcomes(0))
    first = node.pids()[chat.instance_id]
    os.kill(first, signal.SIGKILL)
    node.until(lambda: node.pids().get(chat.instance_id, first) != first)
    node.until(lambda: node.supervisor.slots[chat.instance_id].state == "ready")
    (status,) = node.supervisor.statuses()
    assert (status.restart_count, status.state) == (1, 2)
    assert "failed" not in node.outcomes(0)


def test_an_engine_that_never_answers_fails_its_step(config, assigned, assignment) -> None:
    quick = Node(replace(config, timing=replace(config.timing, ready=0.5)))
    crash, deaf = assigned("crash@1", gpus=(0,), mood="crash"), assigned("deaf@1", gpus=(1,), mood="deaf")
    quick.assign(assignment(crash, deaf, steps=[(0, LOAD, "crash@1"), (1, LOAD, "deaf@1")]))
    quick.until(lambda: "failed" in quick.outcomes(0) and "failed" in quick.outcomes(1))
    reasons = {said.step: said.reason for said in quick.said if said.outcome == "failed"}
    assert reasons[0] == "ended with exit code 7, 3 times"
    assert reasons[1] == "did not answer within 0.5 s"
    quick.until(lambda: quick.supervisor.empty)  # what failed is cleared away


def test_a_command_that_does_not_exist_fails_its_step(node, assigned, assignment) -> None:
    chat = assigned()
    del chat.launch.command[:]
    chat.launch.command.extend(["no-such-engine", "--port", "1"])
    node.assign(assignment(chat, steps=[(0, LOAD, chat.instance_id)]))
    node.until(lambda: "failed" in node.outcomes(0))
    assert "cannot be started" in node.said[-1].reason


def test_another_agent_goes_on_with_what_runs(node, config, assigned, assignment) -> None:
    chat, other = assigned(desired=SERVING), assigned("other@1", SERVING, gpus=(2,))
    node.assign(assignment(chat, other, steps=[(0, LOAD, chat.instance_id), (1, LOAD, "other@1")]))
    node.until(lambda: "done" in node.outcomes(0) and "done" in node.outcomes(1))
    pids = node.pids()
    heir = Node(config)
    heir.supervisor.tick(time.monotonic())  # nothing is known yet: nothing is touched
    assert all(map(runs, pids.values()))
    heir.assign(assignment(chat))
    heir.until(lambda: heir.supervisor.slots[chat.instance_id].state == "ready")
    assert heir.pids()[chat.instance_id] == pids[chat.instance_id]
    node.until(lambda: "other@1" not in node.pids())  # as its child it is reaped here
    heir.until(lambda: "other@1" not in heir.supervisor.slots)


def test_leaving_drains_and_stops(node, assigned, assignment) -> None:
    chat = assigned(desired=SERVING)
    node.assign(assignment(chat, steps=[(0, LOAD, chat.instance_id)]))
    node.until(lambda: "done" in node.outcomes(0))
    node.supervisor.leave()
    node.until(lambda: node.supervisor.empty)


def test_the_router_is_told_and_its_failure_fails_the_switch(config, tmp_path, assigned, assignment) -> None:
    told = tmp_path / "told"
    script = f"import sys; open({str(told)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')"
    router = (sys.executable, "-c", script, "{action}", "{instance}", "{address}:{port}")
    node = Node(replace(config, router=router, address="10.0.0.1"))
    chat = assigned(desired=SERVING, port=None)
    port = chat.launch.command[-1]
    node.assign(assignment(chat, steps=[(0, LOAD, chat.instance_id), (1, SWITCH, chat.instance_id)]))
    node.until(lambda: "done" in node.outcomes(1))
    chat.desired = DRAINING
    node.assign(assignment(chat, steps=[(2, DRAIN, chat.instance_id)]))
    node.until(lambda: "done" in node.outcomes(2))
    assert told.read_text() == f"serve chat-0@1 10.0.0.1:{port}\ndrain chat-0@1 10.0.0.1:{port}\n"
    node.kill()

    broken = Node(replace(config, router=("false",)))
    chat = assigned("b@2", SERVING)
    broken.assign(assignment(chat, steps=[(1, SWITCH, "b@2")]))
    broken.until(lambda: "failed" in broken.outcomes(1))
    assert "ended with 1" in broken.said[-1].reason
    broken.kill()


def test_a_port_that_someone_else_has_is_not_taken_for_the_engine(node, assigned, assignment) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        chat = assigned(port=other.getsockname()[1])
        node.assign(assignment(chat, steps=[(0, LOAD, chat.instance_id)]))
        node.until(lambda: "failed" in node.outcomes(0))
    assert "something else answers on port" in node.said[-1].reason
