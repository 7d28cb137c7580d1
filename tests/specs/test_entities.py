"""`specs.entities`."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import InvalidInput, UnknownName
from specs.entities import Entities, Numbered


def test_numbered_names_are_found_without_being_held():
    names = Numbered("task", 1_000_000)

    assert names[999_999] == "task999999"
    assert names.find("task999999") == 999_999
    assert [names.find(x) for x in ("task1000000", "task01", "task-1", "taskx", "host1", 3)] == [None] * 6
    assert names[1:3] == ["task1", "task2"]
    with pytest.raises(IndexError):
        names[1_000_000]


def test_identical_ones_by_kind():
    replicas = Entities(name="replica", counts={"small": 2, "large": 1})

    assert list(replicas.labels) == ["small/0", "small/1", "large/0"]
    assert list(replicas.members("small")) == [0, 1]
    assert list(replicas.members("small/1")) == [1]


def test_names_from_an_array():
    assert Entities(name="host", ids=np.array(["a", "b"])).index("b") == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ids": []}, "the set is empty"),
        ({"ids": ["a", "a"]}, "'a' is given twice"),
        ({"ids": ["default"]}, "reserved"),
        ({"ids": ["a", ""]}, "non-empty text"),
        ({"ids": "abc"}, "a list of names"),
        ({"count": 0}, "at least 1"),
        ({"count": True}, "whole number"),
        ({"counts": {"a": -1}}, "at least 0"),
        ({"counts": {"a": 0}}, "the set is empty"),
        ({}, "exactly one"),
        ({"ids": ["a"], "count": 1}, "exactly one"),
    ],
)
def test_wrong_sets_have_a_message(given, message):
    with pytest.raises(InvalidInput, match=message):
        Entities(name="task", **given)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'host1'"):
        Entities(name="host", ids=["host1", "host2"]).index("hots1")
