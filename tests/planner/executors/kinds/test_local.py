"""Worker processes of this machine, with the tasks in `chores`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.errors import InvalidInput, SolverFailed
from planner.executors import Limits, open_executor, values_of

MIB = 2**20


@pytest.fixture(scope="module")
def chores():
    """Importable here and, through PYTHONPATH, in the workers."""
    folder = str(Path(__file__).parents[1])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([folder, os.environ.get("PYTHONPATH", "")]))
        import chores

        yield chores


@pytest.fixture(scope="module")
def two(chores):
    with open_executor("local:2") as executor:
        yield executor


def test_results_come_in_the_order_of_the_inputs(two, chores):
    outcomes = two.map(chores.slow_square, range(5))
    assert values_of(outcomes) == [0, 1, 4, 9, 16]
    assert [o.attempts for o in outcomes] == [1] * 5
    assert two.map(chores.square, []) == []


def test_processes_are_others_than_this_one_and_are_kept(two, chores):
    first = set(values_of(two.map(chores.process_id, range(6))))
    assert os.getpid() not in first
    assert len(first) <= 2
    assert len(first | set(values_of(two.map(chores.process_id, range(6))))) <= 2


def test_every_report_arrives_and_in_order(two, chores):
    events = []
    assert values_of(two.map(chores.count_up, [3, 4], on_event=events.append)) == [3, 4]
    for index, steps in enumerate((3, 4)):
        mine = [event for event in events if event.index == index]
        assert [event.kind for event in mine] == ["started", *["reported"] * steps, "ended"]
        assert [event.report for event in mine[1:-1]] == list(range(steps))


def test_an_error_is_the_task_s_own_and_the_others_go_on(two, chores):
    outcomes = two.map(chores.fail_at, range(4))
    assert [o.state for o in outcomes] == ["done", "failed", "failed", "done"]
    assert isinstance(outcomes[1].error, InvalidInput)
    assert "unknown pool 'h10'; did you mean 'h100'?" in str(outcomes[1].error)
    assert str(outcomes[2].error).startswith("KeyError in fail_at, chores.py:")
    with pytest.raises(InvalidInput, match="h10"):
        values_of(outcomes)


def test_what_cannot_be_sent_back_is_an_error_of_the_task(two, chores):
    (outcome,) = two.map(chores.lambda_result, [0])
    assert outcome.state == "failed"
    assert "pickle" in outcome.message.lower()


def test_a_task_beyond_its_time_is_killed_and_the_others_are_not(two, chores):
    outcomes = two.map(chores.sleep, [60.0, 0.01], limits=Limits(time_s=0.5))
    assert [o.state for o in outcomes] == ["timed_out", "done"]
    with pytest.raises(SolverFailed, match=r"task 1 of 2: it was killed after 0\.5 s"):
        values_of(outcomes)


def test_a_task_beyond_its_memory_ends_alone(two, chores):
    if sys.platform != "linux":
        pytest.skip("memory is limited by the kernel of Linux")
    outcomes = two.map(chores.fill, [400 * MIB, MIB], limits=Limits(memory_bytes=100 * MIB))
    assert [o.state for o in outcomes] == ["out_of_memory", "done"]
    assert outcomes[1].value == MIB
    # the limit was the task's, not the worker's
    assert values_of(two.map(chores.fill, [200 * MIB, 200 * MIB])) == [200 * MIB] * 2


def test_the_task_of_a_lost_worker_is_run_again(two, chores, tmp_path):
    events = []
    outcomes = two.map(chores.die_once, [str(tmp_path / "a"), str(tmp_path / "b")], on_event=events.append)
    assert values_of(outcomes) == ["survived", "survived"]
    assert [o.attempts for o in outcomes] == [2, 2]
    assert sum(event.kind == "lost" for event in events) == 2


def test_a_task_that_keeps_killing_its_workers_is_given_up(two, chores):
    (outcome,) = two.map(chores.die, [0], limits=Limits(retries=1))
    assert (outcome.state, outcome.attempts) == ("lost", 2)
    assert "its worker was lost 2 times, the last time by signal 9" in outcome.message


def test_cancelled_tasks_return_what_they_have_and_waiting_ones_do_not_begin(two, chores):
    running = set()

    def note(event):
        if event.kind == "reported":
            running.add(event.index)

    outcomes = two.map(
        chores.wait_until_cancelled, [60.0] * 4, on_event=note, cancelled=lambda: len(running) == 2
    )
    assert [o.value for o in outcomes] == ["told to stop", "told to stop", None, None]
    assert [o.state for o in outcomes] == ["done", "done", "cancelled", "cancelled"]


def test_a_task_deaf_to_cancelling_is_killed(two, chores):
    heard = []
    (outcome,) = two.map(
        chores.sleep,
        [60.0],
        limits=Limits(cancel_s=0.3),
        on_event=heard.append,
        cancelled=lambda: len(heard) > 1,
    )
    assert outcome.state == "cancelled"


def test_nothing_goes_on_after_an_error_of_the_caller(two, chores):
    def stumble(event):
        raise RuntimeError(f"at {event.kind} in {event.where}")

    with pytest.raises(RuntimeError, match="at started") as caught:
        two.map(chores.sleep, [60.0], on_event=stumble)
    process_id = str(caught.value).rpartition(" ")[2]
    assert not Path("/proc", process_id).exists()
    assert values_of(two.map(chores.square, [3])) == [9]


def test_workers_end_with_whoever_started_them(chores):
    program = (
        "import os, signal, chores\n"
        "from planner.executors import open_executor\n"
        "executor = open_executor('local:1')\n"
        "pid = executor.map(chores.process_id, [0])[0].value\n"
        "print(pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -9, done.stderr
    worker = Path("/proc", done.stdout.strip())
    end = time.monotonic() + 10
    while worker.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not worker.exists()


@pytest.mark.parametrize("name", ["local:0", "local:x", "local:-1", "local:9999"])
def test_a_number_of_processes_that_cannot_be(name):
    with pytest.raises(InvalidInput, match="number of processes"):
        open_executor(name)
