"""Adapters are made once, however many threads ask at the same time."""

from __future__ import annotations

import sys
import threading
from dataclasses import make_dataclass

import pytest

from models.document import adapter
from models.document.adapter import adapter_of
from planner.plan import Plan
from planner.rollout import RolloutBody


@pytest.fixture
def forgotten(monkeypatch):
    """As in a new process; and threads take turns as often as they can."""
    monkeypatch.setattr(adapter, "_adapters", {})
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_ask_at_once_get_the_same_adapters(forgotten):
    found, failures = [], []
    begin = threading.Barrier(6)

    def ask(kind):
        begin.wait()
        try:
            found.append((kind, adapter_of(kind)))
        except BaseException as error:  # noqa: BLE001 - a SystemError of the interpreter, for one
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(kind,)) for kind in (Plan, RolloutBody) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert len({id(made) for _, made in found}) == 2
    assert all(made is adapter_of(kind) for kind, made in found)


def test_an_adapter_reads(forgotten):
    point = make_dataclass("Point", [("x", int)])
    assert adapter_of(point).validate_json('{"x": 3}') == point(3)
