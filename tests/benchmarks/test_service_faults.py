"""The faults of the service in small: what the benchmark does a hundred times happens here once or twice."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.service_faults import main, wrong
from benchmarks.service_load.postgres import postgres_programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")


def run(capsys, *arguments):
    code = main([*arguments, "--seed", "3"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0, found["failures"]
    return found


@pytest.mark.slow
def test_killed_servers_and_workers_lose_and_double_nothing(capsys):
    found = run(capsys, "--faults", "server", "worker", "--stores", "sqlite", "--count", "2")

    for fault in ("server-sqlite", "worker-sqlite"):
        assert found[fault]["kills"] == 2
        assert found[fault]["plans_acknowledged"] > 2
        assert found[fault]["promotions_acknowledged"] > 2
        assert found[fault]["steps_acknowledged"] > 2
        assert found[fault]["rollouts_done"]


@pytest.mark.slow
def test_a_clock_that_jumps_is_got_over(capsys):
    found = run(capsys, "--faults", "clock", "--stores", "sqlite", "--jumps", "2")["clock-sqlite"]

    assert found["jumps"] == 2
    assert found["plans_acknowledged"] > 2
    assert found["rollouts_done"]


@pytest.mark.slow
def test_a_full_disk_is_refused_and_got_over(capsys):
    found = run(capsys, "--faults", "disk", "--seconds", "1.2")["disk"]

    before, during, after = found["plans_acknowledged_before_during_after"]
    assert during <= before / 2, "the disk was full"
    assert after > 2, "the server goes on by itself"
    assert set(found["calls_refused_meanwhile"]) == {"UNAVAILABLE"}


def test_a_silent_line_is_noticed_and_the_watch_goes_on(capsys):
    found = run(capsys, "--faults", "line", "--keepalive", "1")["line"]

    assert found["events"] == 100
    assert found["noticed_after_s"]
    assert max(found["noticed_after_s"]) < 10


@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed")
@pytest.mark.slow
def test_a_database_that_restarts_is_waited_for(capsys):
    found = run(capsys, "--faults", "postgres", "--restarts", "1")["postgres"]

    assert found["plans_acknowledged_after"] > 2
    assert set(found["calls_refused_meanwhile"]) <= {"UNAVAILABLE"}


def test_what_is_lost_or_doubled_is_told():
    counts = {"plans_lost_or_unfinished": 0, "promotions_doubled": 1}
    assert wrong({"server-sqlite": counts}) == ["server-sqlite: promotions_doubled is 1"]
