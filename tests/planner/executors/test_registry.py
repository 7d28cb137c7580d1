"""Executors by name."""

import pytest

from models.errors import UnknownName
from planner.executors import executor_kinds, open_executor
from planner.executors.kinds.local import LocalExecutor


def test_every_file_in_kinds_is_an_executor():
    assert executor_kinds() == ("local", "ray")


def test_a_number_of_processes():
    with open_executor("local:3") as executor:
        assert isinstance(executor, LocalExecutor)
        assert executor.slots == 3
    with open_executor("local") as executor:
        assert executor.slots >= 1


def test_a_name_nobody_has():
    with pytest.raises(UnknownName, match="did you mean 'local'"):
        open_executor("locale")
