"""Who compiles the kernels when several processes start cold."""

import subprocess
import sys
import time

import pytest

from solvers.search import compiled, jit
from solvers.search.compiled import alone, ensure_compiled

BOTH = """
import sys, time
from pathlib import Path
from solvers.search.compiled import ensure_compiled

def compile_all():
    with Path(sys.argv[1]).open("a") as log:
        log.write("compiled\\n")
    time.sleep(0.5)

assert ensure_compiled(compile_all)
"""
HOLDER = """
import sys, time
from pathlib import Path
from solvers.search.compiled import alone

with alone(Path(sys.argv[1])) as held:
    print(held, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _cold(tmp_path, monkeypatch):
    monkeypatch.setenv("FULCRUM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(compiled, "_known", set())
    jit.cache_directory.cache_clear()
    yield
    jit.cache_directory.cache_clear()


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock, and the lock."""
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process, path
        process.kill()


def test_of_processes_that_start_together_one_compiles(tmp_path):
    log = tmp_path / "log"
    started = [subprocess.Popen([sys.executable, "-c", BOTH, str(log)]) for _ in range(3)]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert log.read_text() == "compiled\n"


def test_in_one_process_it_is_done_once_and_may_ask_for_itself():
    calls = []

    def compile_all():
        calls.append(None)
        assert ensure_compiled(compile_all)

    assert ensure_compiled(compile_all)
    assert ensure_compiled(compile_all)
    assert len(calls) == 1


def test_what_failed_is_tried_again():
    def fail():
        raise RuntimeError("no compiler")

    with pytest.raises(RuntimeError, match="no compiler"):
        ensure_compiled(fail)
    calls = []
    assert ensure_compiled(lambda: calls.append(None))
    assert calls


def test_a_holder_that_dies_leaves_the_lock_free(holder):
    process, path = holder
    process.kill()
    process.wait()
    with alone(path, patience_s=10.0) as held:
        assert held


def test_nobody_waits_for_ever_nor_after_being_stopped(holder):
    _, path = holder
    with alone(path, patience_s=0.0) as held:
        assert not held
    end = time.monotonic() + 0.2
    with alone(path, lambda: time.monotonic() > end) as held:
        assert not held
    assert time.monotonic() > end


def test_stopped_while_another_compiles_nothing_is_compiled(holder, monkeypatch):
    _, path = holder
    monkeypatch.setattr(compiled, "cache_directory", lambda: path.parent)
    assert not ensure_compiled(lambda: pytest.fail("compiled"), lambda: True)
    (path.parent / compiled.DONE).touch()
    assert ensure_compiled(lambda: pytest.fail("compiled"))


def test_where_the_lock_cannot_be_made_everybody_compiles(tmp_path):
    with alone(tmp_path / "missing" / "lock") as held:
        assert not held
